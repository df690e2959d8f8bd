/** What fast-open.test.ts plays in a network namespace of its own: a question in the SYN (RFC 7413), and its answer. */
import { kernelSocket } from '../../src/cli/kernel-socket.ts';
import { dissect } from '../../src/lab/dissect.ts';
import { captured } from '../../src/link/captured.ts';
import type { Link } from '../../src/link/link.ts';
import type { TestSocket } from '../../src/packetdrill/target.ts';
import {
  AF_INET,
  IPPROTO_TCP,
  MSG_FASTOPEN,
  POLLOUT,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_FASTOPEN,
} from '../../src/socket/constants.ts';
import { EAGAIN, EINPROGRESS, EOPNOTSUPP, errnoName } from '../../src/socket/errno.ts';
import type { SocketAddress } from '../../src/socket/socket.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { ACK, SYN } from '../../src/wire/tcp.ts';
import { type Ground, OURS, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

const KERNELS = '10.9.0.1';
const PORT = 7;

/** What the capture has of one handshake. */
export interface Opening {
  /** Fast Open in the SYN and in the SYN-ACK: bytes of cookie; 0: the client asks for one; -1: no such option. */
  syn: number;
  synAck: number;
  /** Bytes of data in the SYN, and how many of these the SYN-ACK acknowledges. */
  data: number;
  acknowledged: number;
}

class OpeningsSeen {
  readonly all: Opening[] = [];
  #syn = 0;

  readonly note = (bytes: Uint8Array): void => {
    const { tcp, payload } = dissect(bytes);
    if (tcp === undefined || (tcp.flags & SYN) === 0) return;
    const cookie = tcp.options.find((option) => option.name === 'fast-open')?.cookie.length ?? -1;
    if ((tcp.flags & ACK) === 0) {
      this.#syn = tcp.seq;
      this.all.push({ syn: cookie, synAck: -1, data: payload?.length ?? 0, acknowledged: 0 });
      return;
    }
    const opening = this.all.at(-1) as Opening;
    opening.synAck = cookie;
    opening.acknowledged = (tcp.ack - this.#syn - 1) | 0;
  };
}

/**
 * As often as there are `questions`, one after the other: a client sends so many bytes with MSG_FASTOPEN, the server answers with as many.
 * @param ours tcp_fastopen of ours; `kernels`: the kernel's
 */
export function asks(dialler: 'kernel' | 'tunstack', ours: number, kernels: number, questions: readonly number[]) {
  const seen = new OpeningsSeen();
  const wrap = (link: Link) => captured(link, { onPacket: seen.note });
  const options = { wrap, sysctl: { tcp_fastopen: ours }, kernelSysctl: { 'net.ipv4.tcp_fastopen': kernels } };
  return onGround(options, async (ground) => {
    const our = () => ground.host.socket(AF_INET, SOCK_STREAM) as TestSocket;
    const theirs = () => kernelSocket(AF_INET, SOCK_STREAM, 0) as TestSocket;
    const [client, server] = dialler === 'kernel' ? [theirs, our] : [our, theirs];
    const at: SocketAddress = {
      address: IpAddress.parse(dialler === 'kernel' ? OURS : KERNELS) as IpAddress,
      port: PORT,
    };
    const listener = server();
    listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    listener.setsockopt(IPPROTO_TCP, TCP_FASTOPEN, 16);
    for (const result of [listener.bind(at), listener.listen(16)]) if (result < 0) throw new Error(errnoName(-result));
    const rounds = [];
    for (const size of questions) rounds.push(await ask(ground, client(), listener, at, size));
    listener.close();
    return { rounds, openings: seen.all };
  });
}

/** @returns what the first send gave, what the server got, and what came back */
async function ask(ground: Ground, client: TestSocket, listener: TestSocket, at: SocketAddress, size: number) {
  const question = new Uint8Array(size).fill(63);
  const first = client.send(question, MSG_FASTOPEN, at);
  if (first === -EOPNOTSUPP) client.connect(at);
  if (first < 0 && first !== -EINPROGRESS && first !== -EOPNOTSUPP) throw new Error(errnoName(-first));
  let accepted: TestSocket | number = -EAGAIN;
  await ground.until(3000, 'a connection', () => {
    accepted = listener.accept();
    return typeof accepted !== 'number';
  });
  const server = accepted as unknown as TestSocket;
  await ground.until(3000, 'the handshake', () => (client.poll() & POLLOUT) !== 0);
  if (first < size) client.send(question.subarray(Math.max(first, 0)), 0);
  const got = await read(ground, server, size);
  server.send(got);
  const answer = await read(ground, client, size);
  // The client ends first, so that it is its address that waits.
  client.close();
  await ground.until(3000, 'the end', () => server.recv(new Uint8Array(1)) === 0);
  server.close();
  return { first: first < 0 ? errnoName(-first) : first, got: got.length, answer: answer.every((byte) => byte === 63) };
}

async function read(ground: Ground, socket: TestSocket, size: number): Promise<Uint8Array> {
  const all = new Uint8Array(size);
  let at = 0;
  await ground.until(3000, `${size} bytes`, () => {
    const got = socket.recv(all.subarray(at));
    if (got > 0) at += got;
    return at === size;
  });
  return all;
}
