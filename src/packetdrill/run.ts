/** `runPacketdrill`: a script's text in, what became of it out. */

import { checkNames } from '../arguments.ts';
import type { TcpConfig } from '../tcp/config.ts';
import type { SegmentHasher } from '../tcp/segment-hasher.ts';
import { substitute } from './defines.ts';
import { ScriptFailure, ScriptSyntaxError, UnsupportedFeature } from './errors.ts';
import type { IpVersion } from './ip-version.ts';
import { Machine } from './machine.ts';
import { parseScript } from './parser.ts';
import type { Python } from './python.ts';
import { Runner } from './runner.ts';
import type { Script } from './script.ts';
import { readSettings, type ScriptSettings } from './settings.ts';
import type { PassedPacket, Target } from './target.ts';

/** Options on the command line win over those in the script, as packetdrill has it. */
export interface PacketdrillOptions {
  /** What the script is called in messages; default `script.pkt`. */
  readonly name?: string;
  /** How far times may be off, microseconds; default 4000. An eighth of the time since the event before is allowed in any case. */
  readonly toleranceUsecs?: number;
  /** Of the packets and sockets; `ipv4-mapped-ipv6`: packets of IPv4, sockets of AF_INET6. Default `ipv4`. */
  readonly ipVersion?: IpVersion;
  /** The host's address; default 192.168.0.1, or fd3d:a0b:17d6::1. */
  readonly localIp?: string;
  /** The script's; default 192.0.2.1, or fd3d:fa7b:d17d::1. */
  readonly remoteIp?: string;
  /** Of the host's network; default 255.255.0.0; IPv6's has 48 bits always. */
  readonly netmaskIp?: string;
  /** Bytes; default 1500. */
  readonly mtu?: number;
  /** Other options of packetdrill's, under its names: `{ tcp_ts_tick_usecs: '1000', strict_segments: '' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Words of the script to replace (`-D NAME=VALUE`); `TFO_COOKIE` and `TFO_COOKIE_ZERO`, `CMSG_LEVEL_IP`, `CMSG_TYPE_RECVERR` are known. */
  readonly defines?: Readonly<Record<string, string>>;
  /** Shell commands to go through before the script, as if it began with them. */
  readonly initScripts?: readonly string[];
  /** Settings of the host before any command. */
  readonly sysctl?: Partial<TcpConfig>;
  /** Of the host, for TCP-MD5 and TCP-AO: `nodeHasher` of `tunstack/node` is one. Default: none. */
  readonly hasher?: SegmentHasher | undefined;
  /** Compare PSH on every segment, also within what a segmentation offload would have sent as one; default false. */
  readonly strictPush?: boolean;
  /** What to play against; default: a tunstack host in memory. */
  readonly target?: (settings: ScriptSettings) => Target;
  /** Runs code blocks with more of Python than the built-in evaluator has; default: they are unsupported. */
  readonly python?: Python;
  /** Told what happens, line by line. */
  readonly log?: (line: string) => void;
}

const OPTIONS: readonly (keyof PacketdrillOptions)[] = [
  'name',
  'toleranceUsecs',
  'ipVersion',
  'localIp',
  'remoteIp',
  'netmaskIp',
  'mtu',
  'settings',
  'defines',
  'initScripts',
  'sysctl',
  'hasher',
  'strictPush',
  'target',
  'python',
  'log',
];

export interface PacketdrillResult {
  readonly name: string;
  readonly status: 'pass' | 'fail' | 'unsupported';
  /** Why it did not pass: `file:line: what`, or what is unsupported. Empty when it passed. */
  readonly message: string;
  /** All packets up to the end, `at` in ms: what `formatLadder` draws. */
  readonly packets: readonly PassedPacket[];
  /** Virtual time that it took, ms. */
  readonly duration: number;
  /** Chunks of memory that the stack did not give back: 0, or there is a leak. */
  readonly leaked: number;
}

/**
 * Runs a script against a host of its own, in virtual time. What is wrong with the script is in the result.
 * @throws TypeError when `text` is not a string, or there is no such option
 */
export function runPacketdrill(text: string, options: PacketdrillOptions = {}): PacketdrillResult {
  if (typeof text !== 'string') {
    throw new TypeError(`runPacketdrill: the script must be its text, a string, got ${typeof text}`);
  }
  checkNames('runPacketdrill', options, OPTIONS);
  const name = options.name ?? 'script.pkt';
  let target: Target | undefined;
  let runner: Runner | undefined;
  let [status, message]: [PacketdrillResult['status'], string] = ['pass', ''];
  try {
    const script = parseScript(name, substitute(text, options));
    const settings = readSettings(script, options);
    if (!settings.dryRun) {
      target = options.target?.(settings) ?? makeMachine(settings, options);
      runner = makeRunner(script, target, settings, options);
      for (const commands of options.initScripts ?? []) runner.prepare(commands);
      runner.play();
    }
  } catch (error) {
    [status, message] = verdict(name, error);
  }
  const duration = target?.now ?? 0;
  const packets = [...(target?.passed ?? [])];
  const leaked = close(runner, target);
  return { name, status, message, packets, duration, leaked };
}

function makeMachine({ local, bits, mtu }: ScriptSettings, { sysctl = {}, hasher }: PacketdrillOptions): Machine {
  return new Machine({ local, bits, mtu, sysctl, hasher });
}

function makeRunner(script: Script, target: Target, settings: ScriptSettings, options: PacketdrillOptions): Runner {
  return new Runner(script, target, {
    rules: {
      strictPush: options.strictPush ?? false,
      checkEcr: settings.checkEcr,
      tickUsecs: settings.tickUsecs,
      toleranceUsecs: settings.toleranceUsecs,
    },
    strictSegments: settings.strictSegments,
    mss: settings.mss,
    relativeTolerance: settings.relativeTolerance,
    nonFatal: settings.nonFatal,
    domain: settings.domain,
    local: { address: settings.local, port: settings.bindPort },
    remote: { address: settings.remote, port: settings.connectPort },
    python: options.python,
    log: options.log ?? (() => {}),
  });
}

function verdict(name: string, error: unknown): [PacketdrillResult['status'], string] {
  if (error instanceof UnsupportedFeature) return ['unsupported', error.message];
  if (error instanceof ScriptFailure || error instanceof ScriptSyntaxError) return ['fail', error.message];
  // The stack or the runner itself broke: that is a failure too, and says where.
  return ['fail', `${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
}

function close(runner: Runner | undefined, target: Target | undefined): number {
  return runner?.close() ?? target?.close() ?? 0;
}
