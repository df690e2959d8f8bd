/**
 * The rule for kernels without nf_tables, or without tables that a process owns: the kernel's RSTs from the address and its ports are dropped on their
 * way out. Ours carry a mark (SO_MARK) and pass. The rule's comment names the process; who starts next removes those of processes that are gone.
 */
import { spawnSync } from 'node:child_process';
import type { IpAddress } from '../wire/address.ts';
import { PRIVILEGE_ADVICE, RawError } from './raw-error.ts';
import type { PortRange } from './raw-ports.ts';
import { isGone, processMark } from './raw-undo.ts';

const COMMENT = 'tunstack-raw';

/** @throws RawError ENOENT there is no iptables; EPERM and others it refused, with its words */
export function addRules(address: IpAddress, ports: readonly PortRange[], mark: number): () => void {
  const program = address.family === 4 ? 'iptables' : 'ip6tables';
  removeLeftovers(program);
  const rules = ports.map((range) => ruleOf(address, range, mark));
  const added: string[][] = [];
  const undo = () => {
    for (const rule of added) run(program, ['-D', 'OUTPUT', ...rule]);
    added.length = 0;
  };
  for (const rule of rules) {
    const { status, stderr } = run(program, ['-I', 'OUTPUT', ...rule]);
    if (status !== 0) {
      undo();
      throw refused(program, stderr);
    }
    added.push(rule);
  }
  return undo;
}

function ruleOf(address: IpAddress, { first, last }: PortRange, mark: number): string[] {
  const what = ['-s', String(address), '-p', 'tcp', '--sport', `${first}:${last}`, '--tcp-flags', 'RST', 'RST'];
  const whose = [
    '-m',
    'mark',
    '!',
    '--mark',
    String(mark),
    '-m',
    'comment',
    '--comment',
    `${COMMENT}:${processMark()}`,
  ];
  return [...what, ...whose, '-j', 'DROP'];
}

/** Rules of processes that ended without a chance to remove them. */
function removeLeftovers(program: string): void {
  for (const line of run(program, ['-S', 'OUTPUT']).stdout.split('\n')) {
    const found = /^-A (OUTPUT .*--comment "?tunstack-raw:([0-9:]+)"? .*)$/.exec(line);
    if (found === null || !isGone(found[2] as string)) continue;
    run(program, ['-D', ...(found[1] as string).replaceAll('"', '').split(' ')]);
  }
}

function run(program: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(program, ['-w', '5', ...args], { encoding: 'utf8' });
  if (error === undefined) return { status, stdout, stderr };
  throw new RawError((error as NodeJS.ErrnoException).code ?? 'EIO', `cannot run ${program}: ${error.message}`, {
    advice: 'install it, or open the link with { guard: "none" } and keep the kernel\'s RSTs away yourself',
    cause: error,
  });
}

function refused(program: string, stderr: string): RawError {
  const denied = /permission denied/i.test(stderr);
  return new RawError(denied ? 'EPERM' : 'EIO', `${program}: ${stderr.trim().split('\n', 1)[0]}`, {
    advice: denied ? PRIVILEGE_ADVICE : undefined,
  });
}
