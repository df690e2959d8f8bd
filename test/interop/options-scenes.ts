/** What options.test.ts plays in a network namespace of its own: what the two sides agree on, and that it works. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { dissect } from '../../src/lab/dissect.ts';
import { captured } from '../../src/link/captured.ts';
import type { Link } from '../../src/link/link.ts';
import { ACK, SYN } from '../../src/wire/tcp.ts';
import { exchange, exchangeSocket, type Plan } from './flow.ts';
import { type Ground, type GroundOptions, OURS, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

/** The options of the segments of one connection, by name, without padding. */
class OptionsSeen {
  syn: readonly string[] = [];
  synAck: readonly string[] = [];
  /** Of all other segments. */
  readonly later = new Set<string>();

  readonly note = (bytes: Uint8Array): void => {
    const { tcp } = dissect(bytes);
    if (tcp === undefined) return;
    const names = tcp.options.map(({ name }) => name).filter((name) => name !== 'nop' && name !== 'end');
    if ((tcp.flags & SYN) === 0) for (const name of names) this.later.add(name);
    else if ((tcp.flags & ACK) !== 0) this.synAck = names;
    else this.syn = names;
  };
}

/** @param size bytes that go each way at once */
export function agrees(options: GroundOptions, dialler: 'kernel' | 'tunstack', size: number) {
  const seen = new OptionsSeen();
  const wrap = (link: Link) => captured(link, { onPacket: seen.note });
  return onGround({ ...options, wrap }, async (ground) => {
    const plan = { bytes: size, hash: true };
    const both = dialler === 'kernel' ? dialledByKernel(ground, plan) : dialledByUs(ground, plan);
    const [ours, kernels] = await ground.within(8000, 'both ways', both);
    return { ours, kernels, syn: seen.syn, synAck: seen.synAck, later: [...seen.later].sort() };
  });
}

async function dialledByKernel({ host }: Ground, plan: Plan) {
  const listener = await host.listen('tcp', ':7');
  const accepted = listener.accept().then((conn) => exchange(conn, plan));
  const outcomes = await Promise.all([
    accepted,
    exchangeSocket(connect({ port: 7, host: OURS, allowHalfOpen: true }), plan),
  ]);
  listener.close();
  return outcomes;
}

async function dialledByUs({ host }: Ground, plan: Plan) {
  const server = createServer({ allowHalfOpen: true }).listen(7, '10.9.0.1');
  const accepted = once(server, 'connection').then(([socket]) => exchangeSocket(socket as Socket, plan));
  const conn = await host.dial('tcp', '10.9.0.1:7');
  const outcomes = await Promise.all([exchange(conn, plan), accepted]);
  server.close();
  return outcomes;
}
