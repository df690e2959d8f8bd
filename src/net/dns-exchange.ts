/** One question to one server: over UDP, and over TCP when the answer does not fit. As Go's Resolver.exchange. */
import type { Clock } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import type { DnsCodec, DnsMessage, DnsType } from './dns-codec.ts';
import { equalNames } from './dns-names.ts';
import type { DnsConfig } from './resolv-conf.ts';

/** What the resolver needs of a connection; TCPConn and UDPConn have it. */
export interface DnsConn {
  read(into: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<number | null>;
  write(bytes: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<number>;
  setDeadline(deadline: number | null): void;
  close(): void;
}

/** `timeout`: ms. A UDP connection must take datagrams from `server` alone. */
export type DnsDial = (
  network: 'udp' | 'tcp',
  server: string,
  options: { readonly timeout: number; readonly signal?: AbortSignal | undefined },
) => Promise<DnsConn>;

/** What questions are asked with. */
export interface DnsMeans {
  readonly clock: Clock;
  readonly random: Random;
  readonly codec: DnsCodec;
  readonly dial: DnsDial;
}

export interface Question {
  /** Rooted. */
  readonly name: string;
  readonly type: DnsType;
}

/** RFC 6891 6.2.5: what passes nearly everywhere without being fragmented; Go's value, 1280 less the headers of IPv6 and UDP. */
const UDP_SIZE = 1232;

/**
 * @throws OpError (as a rejection) of the connection, which may be a timeout
 * @throws Error (as a rejection) cannot marshal DNS message, cannot unmarshal DNS message, invalid DNS response
 */
export async function exchange(
  means: DnsMeans,
  server: string,
  question: Question,
  config: DnsConfig,
  signal?: AbortSignal,
): Promise<DnsMessage> {
  // RFC 5452 9.2: the identifier is not to be guessed, nor is the port, which the stack chooses.
  const id = means.random.uint32() >>> 16;
  const query = means.codec.encodeQuery({ ...question, id, udpSize: UDP_SIZE, authenticData: config.trustAd });
  if (query === undefined) throw new Error('cannot marshal DNS message');
  const round: Round = { means, server, question, id, query, timeout: config.timeout, signal };
  if (!config.useTcp) {
    const message = await over(round, 'udp', datagrams);
    // RFC 1123 6.1.3.2, RFC 7766 5: what was cut off is not used, and the question goes out again over TCP.
    if (!message.isTruncated) return message;
  }
  return over(round, 'tcp', stream);
}

interface Round {
  readonly means: DnsMeans;
  readonly server: string;
  readonly question: Question;
  readonly id: number;
  readonly query: Uint8Array;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

async function over(
  round: Round,
  network: 'udp' | 'tcp',
  roundTrip: (conn: DnsConn, round: Round) => Promise<DnsMessage>,
): Promise<DnsMessage> {
  const { means, server, timeout, signal } = round;
  const deadline = means.clock.wallNow() + timeout;
  const conn = await means.dial(network, server, { timeout, signal });
  try {
    conn.setDeadline(deadline);
    const message = await roundTrip(conn, round);
    if (message.questions !== 1) throw new Error('invalid DNS response');
    return message;
  } finally {
    conn.close();
  }
}

async function datagrams(conn: DnsConn, round: Round): Promise<DnsMessage> {
  const { means, query, signal } = round;
  await conn.write(query, { signal });
  const bytes = new Uint8Array(UDP_SIZE);
  for (;;) {
    const count = (await conn.read(bytes, { signal })) ?? 0;
    const message = means.codec.decode(bytes.subarray(0, count));
    // RFC 5452 9.1: whatever is not the answer to this question may be forged; the true one may still come.
    if (message !== undefined && answersTo(message, round)) return message;
  }
}

/** RFC 1035 4.2.2: each message after its length in two bytes. */
async function stream(conn: DnsConn, round: Round): Promise<DnsMessage> {
  const { means, query, signal } = round;
  const framed = new Uint8Array(2 + query.length);
  framed[0] = query.length >>> 8;
  framed[1] = query.length;
  framed.set(query, 2);
  await conn.write(framed, { signal });
  const head = await readFully(conn, 2, signal);
  const body = await readFully(conn, ((head[0] as number) << 8) | (head[1] as number), signal);
  const message = means.codec.decode(body);
  if (message === undefined) throw new Error('cannot unmarshal DNS message');
  if (!answersTo(message, round)) throw new Error('invalid DNS response');
  return message;
}

async function readFully(conn: DnsConn, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let have = 0;
  while (have < length) {
    const count = await conn.read(bytes.subarray(have), { signal });
    // Go: io.EOF, io.ErrUnexpectedEOF.
    if (count === null) throw new Error(have === 0 ? 'EOF' : 'unexpected EOF');
    have += count;
  }
  return bytes;
}

// RFC 5452 9.1: the answer has the identifier and the question of the query; that it is from the server asked is seen to by the connection.
function answersTo({ isResponse, id, question }: DnsMessage, asked: Round): boolean {
  return (
    isResponse &&
    id === asked.id &&
    question.isInternet &&
    question.type === asked.question.type &&
    equalNames(question.name, asked.question.name)
  );
}
