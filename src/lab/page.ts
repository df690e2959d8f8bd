/** What the lab's web server says, as plain text: about the very connection that asks, and about the stack. */
import type { Host } from '../host.ts';
import type { TcpInfo } from '../tcp/info.ts';
import { TCPI_OPT_ECN, TCPI_OPT_SACK, TCPI_OPT_TIMESTAMPS, TCPI_OPT_WSCALE } from '../tcp/info.ts';

export interface PageFacts {
  /** Who asks, and whom, `10.9.0.1:40000`. */
  readonly remote: string;
  readonly local: string;
  readonly info: TcpInfo | undefined;
  /** The packets of the connection until now; empty: none are known. */
  readonly ladder: readonly string[];
}

export const PATHS = [
  'GET  /              this page',
  'GET  /bytes/1000000 so many bytes, to watch a transfer',
  'POST /              answers with the length and the SHA-256 of what it got (PUT too)',
  'GET  /sockets       the sockets of this host',
  'GET  /counters      what the stack has counted',
] as const;

export function page({ remote, local, info, ladder }: PageFacts): string {
  const connection = info === undefined ? [] : ['Your connection, as the stack sees it', '', ...infoLines(info), ''];
  const packets = ladder.length === 0 ? [] : ['Its packets until this answer', '', ...ladder, ''];
  return textOf([
    'tunstack',
    '',
    `Hello ${remote}. No kernel socket answers here: ${local} is a TCP/IP stack in a Node.js process.`,
    '',
    ...connection,
    ...packets,
    'There is more',
    '',
    ...PATHS.map((line) => `  ${line}`),
  ]);
}

export function socketsPage(host: Host): string {
  const rows = host.sockets().map((one) => [one.state, `${one.recvQ}`, `${one.sendQ}`, one.local, one.remote]);
  const all = [['state', 'recv-q', 'send-q', 'local', 'remote'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => (row[column] as string).length)));
  return textOf(
    all.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join('  ')
        .trimEnd(),
    ),
  );
}

export function countersPage(host: Host): string {
  const counted = Object.entries(host.counters).filter(([, count]) => count > 0);
  return textOf(counted.map(([name, count]) => `${name.padEnd(28)}${count}`));
}

function infoLines(info: TcpInfo): string[] {
  const options = [
    [TCPI_OPT_TIMESTAMPS, 'timestamps'],
    [TCPI_OPT_SACK, 'SACK'],
    [TCPI_OPT_ECN, 'ECN'],
    [TCPI_OPT_WSCALE, `window scale ${info.tcpi_snd_wscale} (yours) and ${info.tcpi_rcv_wscale} (ours)`],
  ] as const;
  const agreed = options.filter(([bit]) => (info.tcpi_options & bit) !== 0).map(([, name]) => name);
  return [
    [
      'round trip',
      `${ms(info.tcpi_rtt)} (variation ${ms(info.tcpi_rttvar)}), retransmission after ${ms(info.tcpi_rto)}`,
    ],
    ['segments', `up to ${info.tcpi_snd_mss} bytes out, ${info.tcpi_advmss} in; path MTU ${info.tcpi_pmtu}`],
    [
      'windows',
      `yours ${info.tcpi_snd_wnd} bytes, ours ${info.tcpi_rcv_wnd}; congestion window ${info.tcpi_snd_cwnd} segments`,
    ],
    ['options', agreed.length === 0 ? 'none' : agreed.join(', ')],
    ['sent again', `${info.tcpi_total_retrans} segments`],
  ].map(([name, value]) => `  ${(name as string).padEnd(12)}${value}`);
}

/** From microseconds. */
function ms(us: number): string {
  return `${(us / 1000).toFixed(us < 10_000 ? 2 : 0)} ms`;
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
