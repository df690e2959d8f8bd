/**
 * Connections of ours for conn_test.go: a process that makes pairs of them, and makes on them each call that a message on its standard input
 * asks for. It ends with its input; what it holds then that nobody closed is an exit status of 1.
 */
import { createHost, type Host } from '../../src/host.ts';
import { type ImpairedOptions, impaired } from '../../src/link/impaired.ts';
import { createPipe } from '../../src/link/pipe.ts';
import type { Conn } from '../../src/net/conn.ts';
import type { NetError } from '../../src/net/errors.ts';
import { type PipeConn, pipe } from '../../src/net/pipe.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import { RealClock } from '../../src/time/real-clock.ts';

type Ours = TCPConn | PipeConn;

const clock = new RealClock();
const hosts: Host[] = [];
const conns = new Map<number, Ours>();
let nextId = 1;

/** Where the two ends are, by the name that the tests go by. */
const KINDS: Record<string, () => Promise<[Ours, Ours]>> = {
  'two-hosts-IPv4': twoHosts(['10.9.0.1/24', '10.9.0.2/24'], '10.9.0.2:0'),
  // What is lost, overtaken and doubled is another thing with every NETTEST_SEED.
  lossy: twoHosts(['10.9.0.1/24', '10.9.0.2/24'], '10.9.0.2:0', {
    seed: process.env['NETTEST_SEED'] ?? '1',
    both: { loss: 0.01, duplicate: 0.01, reorder: 0.02, corrupt: 0.002, delay: 0.2, jitter: 0.5 },
  }),
  'two-hosts-IPv6': twoHosts(['fd00::1/64', 'fd00::2/64'], '[fd00::2]:0'),
  loopback: async () => {
    const host = hosts[0] ?? createHost({ clock });
    if (hosts.length === 0) hosts.push(host);
    return connect(host, host, '127.0.0.1:0');
  },
  pipe: async () => pipe({ clock }),
};

function twoHosts(
  addresses: [string, string],
  address: string,
  weather?: ImpairedOptions,
): () => Promise<[Ours, Ours]> {
  return async () => {
    if (hosts.length === 0) {
      const links = createPipe();
      if (weather !== undefined) links[0] = impaired(links[0], weather);
      hosts.push(...addresses.map((each, i) => createHost({ link: links[i as 0 | 1], address: each, clock })));
    }
    return connect(hosts[0] as Host, hosts[1] as Host, address);
  };
}

async function connect(from: Host, to: Host, address: string): Promise<[Ours, Ours]> {
  const listener = await to.listen('tcp', address);
  const both = await Promise.all([from.dial('tcp', `${listener.addr()}`), listener.accept()]);
  listener.close();
  return both;
}

/** In the order of the ops of conn_test.go. Each gives the payload of its answer, undefined for the end of the stream. */
const CALLS: readonly ((conn: Ours, payload: Buffer) => Promise<Uint8Array | undefined>)[] = [
  async (_, payload) => {
    const pair = await (KINDS[payload.toString()] as () => Promise<[Ours, Ours]>)();
    return Buffer.from(JSON.stringify(pair.map(described)));
  },
  async (conn, payload) => {
    const into = new Uint8Array(payload.readUInt32BE());
    const count = await conn.read(into);
    return count === null ? undefined : into.subarray(0, count);
  },
  async (conn, payload) => {
    await conn.write(payload);
    return new Uint8Array(0);
  },
  async (conn) => done(conn.close()),
  async (conn, payload) => done(conn.setDeadline(timeOf(payload))),
  async (conn, payload) => done(conn.setReadDeadline(timeOf(payload))),
  async (conn, payload) => done(conn.setWriteDeadline(timeOf(payload))),
  async (conn) => done(conn[Symbol.dispose]()),
];

/** What a call gave that gives nothing. */
function done(_: unknown): Uint8Array {
  return new Uint8Array(0);
}

function timeOf(payload: Buffer): number | null {
  const at = payload.readDoubleBE();
  return Number.isNaN(at) ? null : at;
}

function described(conn: Ours): object {
  const id = nextId++;
  conns.set(id, conn);
  return { ID: id, Network: conn.localAddr().network(), Local: `${conn.localAddr()}`, Remote: `${conn.remoteAddr()}` };
}

function answer(id: number, status: number, payload: Uint8Array): void {
  const head = Buffer.alloc(9);
  head.writeUInt32BE(5 + payload.length);
  head.writeUInt32BE(id, 4);
  head[8] = status;
  process.stdout.write(Buffer.concat([head, payload]));
}

function serve(message: Buffer): void {
  const id = message.readUInt32BE();
  const conn = conns.get(message.readUInt32BE(5)) as Conn as Ours;
  // What a write was given is its own: bytes of the input stay as they are.
  CALLS[message[4] as number]?.(conn, message.subarray(9)).then(
    (payload) => answer(id, payload === undefined ? 2 : 0, payload ?? new Uint8Array(0)),
    (error: NetError & { bytesWritten?: number }) => {
      const { message: text, timeout, temporary, bytesWritten } = error;
      answer(id, 1, Buffer.from(JSON.stringify({ message: text, timeout, temporary, bytesWritten })));
    },
  );
}

let rest: Buffer = Buffer.alloc(0);
process.stdin.on('data', (chunk: Buffer) => {
  rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
  while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
    const end = 4 + rest.readUInt32BE();
    serve(rest.subarray(4, end));
    rest = rest.subarray(end);
  }
});
process.stdin.on('end', async () => {
  await Promise.all(hosts.map((host) => host.close()));
  const left = hosts.flatMap((host) => host.sockets());
  if (left.length > 0) process.stderr.write(`left: ${JSON.stringify(left)}\n`);
  process.exitCode = left.length > 0 ? 1 : 0;
});
