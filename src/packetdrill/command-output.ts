/** What commands print that scripts look at with grep: nstat, /proc/net/tcp, sysctl. */

import { IpCounters } from '../ip/counters.ts';
import type { SocketStatus } from '../stack/connections.ts';
import type { Counters, Stack } from '../stack/stack.ts';
import { IpAddress } from '../wire/address.ts';
import { UnsupportedFeature } from './errors.ts';

/** Of the TCP group; the other counters of TCP are TcpExt's. */
const TCP_GROUP = new Set(
  'ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors'.split(
    ' ',
  ),
);
const ipCounters = new IpCounters();
/** Linux's numbers in /proc/net/tcp. */
const STATES: Readonly<Record<string, number>> = {
  ESTABLISHED: 1,
  'SYN-SENT': 2,
  'SYN-RECEIVED': 3,
  'FIN-WAIT-1': 4,
  'FIN-WAIT-2': 5,
  'TIME-WAIT': 6,
  CLOSED: 7,
  'CLOSE-WAIT': 8,
  'LAST-ACK': 9,
  LISTEN: 10,
  CLOSING: 11,
};

const TIMERS = { on: 1, keepalive: 2, timewait: 3, persist: 4 };

type Numbers = Readonly<Record<string, number>>;

/** `TcpExtTCPTimeouts                1                  0.0`: what was counted since the last look. */
export class Nstat {
  readonly #stack: Stack;
  #before: Numbers = {};

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** @param options `-az`: since the start, zeros too; `-n`: nothing is shown; `-s`: the next look shows the same again */
  show(options: string): string[] {
    const now: Counters = this.#stack.counters;
    const numbers = now as unknown as Numbers;
    const before = options.includes('a') ? {} : this.#before;
    if (!options.includes('s') && !options.includes('a')) this.#before = { ...numbers };
    if (options.includes('n')) return [];
    return Object.entries(numbers).flatMap(([name, count]) => {
      const counted = count - ((before as Numbers)[name] ?? 0);
      if (counted === 0 && !options.includes('z')) return [];
      return [`${(groupOf(name) + name).padEnd(32)}${String(counted).padEnd(18)} 0.0`];
    });
  }

  /** A script that looks for a counter that is not there learns so, not that it is zero. @throws UnsupportedFeature */
  mustKnow(pattern: string): void {
    const name = /^\W*(?:TcpExt|Tcp|IpExt|Ip)?([A-Za-z]\w*)/.exec(pattern)?.[1];
    if (name !== undefined && !(name in this.#stack.counters)) throw new UnsupportedFeature(`the counter ${pattern}`);
  }
}

/** `Icmp...` names have their group already. */
function groupOf(name: string): string {
  if (name.startsWith('Icmp')) return '';
  if (/^In(NoECT|ECT0|ECT1|CE)Pkts$/.test(name)) return 'IpExt';
  if (name in ipCounters) return 'Ip';
  return TCP_GROUP.has(name) ? 'Tcp' : 'TcpExt';
}

/** /proc/net/tcp: `  0: 0100A8C0:1F90 00000000:0000 0A 00000000:00000000 ...`. What a host in memory has not (users, inodes) is zero. */
export function procNetTcp(sockets: readonly SocketStatus[]): string[] {
  const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  return [
    head,
    ...sockets.map(({ state, local, remote, recvQ, sendQ, timer }, i) => {
      const queues = `${hex(state === 'LISTEN' ? 0 : sendQ, 8)}:${hex(recvQ, 8)}`;
      const place = `${String(i).padStart(4)}: ${endpoint(local)} ${endpoint(remote)}`;
      // Ticks of a hundredth of a second.
      const wait = `${hex(timer ? TIMERS[timer.name] : 0, 2)}:${hex(Math.round((timer?.expires ?? 0) / 10), 8)}`;
      const again = hex(timer?.retransmits ?? 0, 8);
      return `${place} ${hex(STATES[state] ?? 7, 2)} ${queues} ${wait} ${again}     0        0 0`;
    }),
  ];
}

/** `192.168.0.1:8080` as `0100A8C0:1F90`: the address as a little-endian machine holds it. */
function endpoint(text: string): string {
  const at = text.lastIndexOf(':');
  const word = IpAddress.parse(text.slice(0, at))?.w3 ?? 0;
  const swapped = ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  return `${hex(swapped, 8)}:${hex(Number(text.slice(at + 1)) || 0, 4)}`;
}

function hex(value: number, digits: number): string {
  return (value >>> 0).toString(16).toUpperCase().padStart(digits, '0');
}

/**
 * `grep -q PATTERN`, `wc -l`, `head -n 1`, `tail -n 1`, `cat`: what a pipe makes of lines.
 * @returns the lines that are left, and the exit status
 * @throws UnsupportedFeature
 */
export function filtered(lines: readonly string[], words: readonly string[]): { lines: string[]; status: number } {
  const [program = '', ...args] = words;
  const options = args.filter((word) => /^-[A-Za-z]+$/.test(word)).join('');
  const operands = args.filter((word) => !word.startsWith('-'));
  switch (program.split('/').at(-1)) {
    case 'grep':
    case 'egrep':
      return grep(lines, operands[0] ?? '', options);
    case 'wc':
      return { lines: [String(lines.length)], status: 0 };
    case 'head':
      return { lines: lines.slice(0, Number(operands[0] ?? 10)), status: 0 };
    case 'tail':
      return { lines: lines.slice(-Number(operands[0] ?? 10)), status: 0 };
    case 'cat':
    case 'tee':
      return { lines: [...lines], status: 0 };
    default:
      throw new UnsupportedFeature(`the command ${words.join(' ')} behind a pipe`);
  }
}

function grep(lines: readonly string[], pattern: string, options: string): { lines: string[]; status: number } {
  const test = expression(pattern, options);
  const found = lines.filter((line) => test(line) !== options.includes('v'));
  const status = found.length > 0 ? 0 : 1;
  if (options.includes('q')) return { lines: [], status };
  return { lines: options.includes('c') ? [String(found.length)] : found, status };
}

function expression(pattern: string, options: string): (line: string) => boolean {
  if (options.includes('F')) return (line) => line.includes(pattern);
  const word = options.includes('w') ? `\\b(?:${pattern})\\b` : pattern;
  // Basic expressions have their brackets and signs behind a backslash.
  const source = options.includes('E')
    ? word
    : word.replace(/\\([|(){}+?])|([|(){}+?])/g, (_, escaped, plain) => escaped ?? `\\${plain}`);
  try {
    const compiled = new RegExp(source, options.includes('i') ? 'i' : '');
    return (line) => compiled.test(line);
  } catch {
    throw new UnsupportedFeature(`the pattern ${pattern} of grep`);
  }
}
