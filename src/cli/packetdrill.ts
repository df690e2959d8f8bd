/** `tunstack packetdrill`: scripts against a host in memory, in virtual time. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { formatLadder } from '../lab/ladder.ts';
import { nodeHasher } from '../node/segment-hasher.ts';
import { type PacketdrillOptions, type PacketdrillResult, runPacketdrill } from '../packetdrill/run.ts';
import { OPTION_NAMES, type ScriptSettings } from '../packetdrill/settings.ts';
import { KernelTarget } from './kernel-target.ts';
import { python3 } from './python.ts';

/** As commander hands them over. */
interface Given {
  readonly tolerance_usecs?: number;
  readonly ip_version?: 'ipv4' | 'ipv4-mapped-ipv6' | 'ipv6';
  readonly local_ip?: string;
  readonly remote_ip?: string;
  readonly netmask_ip?: string;
  readonly mtu?: number;
  readonly define: Readonly<Record<string, string>>;
  readonly init_scripts: readonly string[];
  readonly strict_push?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
  readonly target: 'tunstack' | 'kernel';
}

const WORDS: Readonly<Record<PacketdrillResult['status'], string>> = {
  pass: 'pass',
  fail: 'FAIL',
  unsupported: 'skip',
};

export function packetdrillCommand(): Command {
  const command = new Command('packetdrill')
    .description(
      'Plays packetdrill scripts against a tunstack host, in memory and in virtual time: no root, no device, no waiting. ' +
        'Exit status 1 when a script fails; one that needs what is not there is skipped, with the reason.',
    )
    .addArgument(
      new Argument('<file...>', 'scripts (.pkt), or directories of them').argParser(
        (path: string, before: readonly string[] = []) => [...before, ...scriptsOf(path)],
      ),
    )
    .option('--tolerance_usecs <n>', 'how far times may be off, microseconds (default: 4000)', whole)
    .addOption(
      new Option('--ip_version <version>', 'what connections run over').choices(['ipv4', 'ipv4-mapped-ipv6', 'ipv6']),
    )
    .option('--local_ip <address>', 'the address of the host (default: 192.168.0.1)')
    .option('--remote_ip <address>', 'the address of the script (default: 192.0.2.1)')
    .option('--netmask_ip <mask>', 'of the host (default: 255.255.0.0)')
    .option('--mtu <bytes>', 'the largest packet (default: 1500)', whole)
    .option('-D, --define <name=value>', 'replace a word of the scripts; may be repeated', define, {})
    .option('--init_scripts <files>', 'files of shell commands to begin with, separated by commas', list, [])
    .addOption(
      new Option('--target <target>', 'what to play against; kernel: the real one, as root, in real time')
        .choices(['tunstack', 'kernel'])
        .default('tunstack'),
    )
    .option('--strict_push', 'compare PSH on every segment, not only where the written data ends')
    .option('-v, --verbose', 'show what happens, event by event')
    .option('--json', 'one JSON object per script')
    .action(run);
  // The rest of packetdrill's, so that its command lines can be used as they are.
  const listed = new Set(command.options.map((option) => option.long?.slice(2)));
  for (const name of OPTION_NAMES.flags) if (!listed.has(name)) command.addOption(new Option(`--${name}`).hideHelp());
  for (const name of OPTION_NAMES.valued) {
    if (!listed.has(name)) command.addOption(new Option(`--${name} <value>`).hideHelp());
  }
  return command;
}

function run(files: readonly string[], given: Given): void {
  const options = optionsOf(given);
  const counts = { pass: 0, fail: 0, unsupported: 0 };
  for (const file of files) {
    const lines: string[] = [];
    const log = given.verbose === true ? (line: string) => void lines.push(line) : undefined;
    const result = runPacketdrill(readFileSync(file, 'utf8'), { ...options, name: file, ...(log && { log }) });
    counts[result.status]++;
    process.stdout.write(given.json === true ? `${JSON.stringify(summary(result, lines))}\n` : report(result, lines));
  }
  if (given.json !== true) {
    const { pass, fail, unsupported } = counts;
    process.stdout.write(`${files.length} scripts: ${pass} passed, ${fail} failed, ${unsupported} skipped\n`);
  }
  if (counts.fail > 0) process.exitCode = 1;
}

function optionsOf(given: Given): PacketdrillOptions {
  const { tolerance_usecs, ip_version, local_ip, remote_ip, netmask_ip, mtu, strict_push } = given;
  return {
    ...(tolerance_usecs !== undefined && { toleranceUsecs: tolerance_usecs }),
    ...(ip_version !== undefined && { ipVersion: ip_version }),
    ...(local_ip !== undefined && { localIp: local_ip }),
    ...(remote_ip !== undefined && { remoteIp: remote_ip }),
    ...(netmask_ip !== undefined && { netmaskIp: netmask_ip }),
    ...(mtu !== undefined && { mtu }),
    ...(strict_push !== undefined && { strictPush: strict_push }),
    python: python3,
    settings: passedOn(given),
    ...(given.target === 'kernel' && { target: (settings: ScriptSettings) => new KernelTarget(settings) }),
    hasher: nodeHasher,
    defines: given.define,
    initScripts: given.init_scripts.map((file) => readFileSync(file, 'utf8')),
  };
}

/** Options of packetdrill's that have no name of their own in the API. */
function passedOn(given: Given): Readonly<Record<string, string>> {
  const values = given as unknown as Readonly<Record<string, string | true | undefined>>;
  const settings: Record<string, string> = {};
  for (const name of [...OPTION_NAMES.flags, ...OPTION_NAMES.valued]) {
    const value = values[name];
    if (name !== 'verbose' && (value === true || typeof value === 'string'))
      settings[name] = value === true ? '' : value;
  }
  return settings;
}

/** The scripts that a path stands for. @throws InvalidArgumentError when there is nothing of that name */
function scriptsOf(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new InvalidArgumentError(`there is no file ${path}`);
  if (!found.isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pkt'))
    .map((name) => join(path, name))
    .sort();
}

function report(result: PacketdrillResult, lines: readonly string[]): string {
  const { name, status, message, packets } = result;
  const reason = status === 'unsupported' ? ` (unsupported: ${message})` : '';
  const head = `${lines.map((line) => `  ${line}\n`).join('')}${WORDS[status]} ${name}${reason}\n`;
  if (status !== 'fail') return head;
  const ladder = formatLadder(packets, { left: 'host', right: 'script' });
  return `${head}${indent(message)}\n${indent(ladder.trimEnd())}\n`;
}

function summary(result: PacketdrillResult, log: readonly string[]): object {
  const { name, status, message, duration, packets } = result;
  return {
    script: relative('.', name),
    status,
    message,
    duration,
    packets: packets.length,
    ...(log.length > 0 && { log }),
  };
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('A whole number is taken.');
  return Number(text);
}

function define(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('NAME=VALUE is taken.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function list(text: string, before: readonly string[]): readonly string[] {
  return [...before, ...text.split(',').filter((each) => each !== '')];
}
