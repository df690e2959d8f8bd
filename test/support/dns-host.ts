/**
 * A DNS server on a host in memory, over its own UDP and TCP, which does what a test says; see dns-servers.ts.
 *
 *     const server = await serveDns(host, zone({ 'A web.example': [a('web.example', '10.9.0.7')] }));
 */
import packet from 'dns-packet';
import type { Host } from '../../src/host.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import type { UDPAddr } from '../../src/net/udp-addr.ts';
import type { UDPConn } from '../../src/net/udp-conn.ts';
import { type Asked, type Reply, replyBytes } from './dns-servers.ts';

/** A question, and the `host:port` that it came from. */
type AskedFrom = Asked & { readonly from: string };

export interface DnsHost {
  /** What was asked, in order. */
  readonly asked: AskedFrom[];
  /** The socket of UDP. */
  readonly packets: UDPConn;
}

/** Serves until the host is closed. */
export async function serveDns(
  host: Host,
  behaviour: (asked: AskedFrom) => readonly Reply[],
  address = ':53',
): Promise<DnsHost> {
  const asked: DnsHost['asked'] = [];
  const packets = await host.listenPacket('udp', address);
  const listener = await host.listen('tcp', address);
  const take = (
    network: 'udp' | 'tcp',
    bytes: Uint8Array,
    from: string,
  ): readonly { bytes: Uint8Array; after: number }[] => {
    const query = packet.decode(Buffer.from(bytes));
    const [question] = query.questions ?? [];
    const one = { network, server: '', query, question: `${question?.type} ${question?.name}`, from };
    asked.push(one);
    return behaviour(one).map((reply) => ({ bytes: bytesOf(one, reply), after: reply.after ?? 0 }));
  };
  const later = (after: number, act: () => void) => {
    if (after === 0) act();
    else host.clock.timer(act).set(host.clock.now() + after);
  };
  const answer = (data: Uint8Array, addr: UDPAddr) => {
    for (const { bytes, after } of take('udp', data, `${addr}`))
      later(after, () => void packets.writeTo(bytes, addr).catch(() => {}));
  };
  void (async () => {
    for await (const { data, addr } of packets) answer(data, addr);
  })();
  void (async () => {
    for await (const conn of listener) void stream(conn, (bytes) => take('tcp', bytes, `${conn.remoteAddr()}`), later);
  })();
  return { asked, packets };
}

function bytesOf(asked: Asked, reply: Reply): Uint8Array {
  return 'bytes' in reply ? reply.bytes : replyBytes(asked, reply);
}

async function stream(
  conn: TCPConn,
  take: (bytes: Uint8Array) => readonly { bytes: Uint8Array; after: number }[],
  later: (after: number, act: () => void) => void,
): Promise<void> {
  let have = new Uint8Array(0);
  for await (const chunk of conn) {
    have = Uint8Array.of(...have, ...chunk);
    const length = ((have[0] ?? 0) << 8) | (have[1] ?? 0);
    if (have.length < 2 || have.length < 2 + length) continue;
    for (const { bytes, after } of take(have.subarray(2, 2 + length))) {
      const framed = new Uint8Array(2 + bytes.length);
      framed.set([bytes.length >>> 8, bytes.length & 0xff]);
      framed.set(bytes, 2);
      later(after, () => void conn.write(framed).catch(() => {}));
    }
    have = have.slice(2 + length);
  }
  conn[Symbol.dispose]();
}
