/** What signed.test.ts plays in a network namespace of its own: connections that both sides sign, and those that one of them does not. */
import { once } from 'node:events';
import { createServer, Socket as KernelSocket } from 'node:net';
import { dissect } from '../../src/lab/dissect.ts';
import { captured } from '../../src/link/captured.ts';
import type { Link } from '../../src/link/link.ts';
import { IPPROTO_TCP } from '../../src/socket/constants.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { exchange, exchangeSocket, type Plan } from './flow.ts';
import { type Ground, type GroundOptions, OURS, onGround } from './ground.ts';
import { optionOf, type SharedKey, setServerKey, socketWithKey } from './kernel-keys.ts';

export const moduleUrl = import.meta.url;

const KERNELS = '10.9.0.1';

/** The segments of a connection, and whether each is signed. */
class Seen {
  signed = 0;
  unsigned = 0;
  longest = 0;
  readonly options = new Set<string>();

  readonly note = (bytes: Uint8Array): void => {
    const { tcp } = dissect(bytes);
    if (tcp === undefined) return;
    this.longest = Math.max(this.longest, bytes.length);
    const names = tcp.options.map(({ name }) => name);
    for (const name of names) this.options.add(name);
    if (names.includes('md5') || names.includes('ao')) this.signed++;
    else this.unsigned++;
  };
}

/** What `dial` and `listen` of ours call with their socket. */
function keyed(key: SharedKey | undefined) {
  return (_network: string, _address: string, socket: Socket) => {
    if (key === undefined) return;
    const [option, value] = optionOf(key, KERNELS);
    const result = socket.setsockopt(IPPROTO_TCP, option, value as never);
    if (result < 0) throw new Error(`setsockopt of ours: ${result}`);
  };
}

/** Both have the key. @param size bytes that go each way at once */
export function agrees(options: GroundOptions, dialler: 'kernel' | 'tunstack', key: SharedKey, size: number) {
  const seen = new Seen();
  const wrap = (link: Link) => captured(link, { onPacket: seen.note });
  return onGround({ ...options, wrap }, async (ground) => {
    const plan = { bytes: size, hash: true };
    const both = dialler === 'kernel' ? dialledByKernel(ground, plan, key) : dialledByUs(ground, plan, key);
    const [ours, kernels] = await ground.within(8000, 'both ways', both);
    const { signed, unsigned, longest } = seen;
    return { ours, kernels, signed, unsigned, longest, options: [...seen.options] };
  });
}

async function dialledByKernel({ host }: Ground, plan: Plan, key: SharedKey) {
  const listener = await host.listen('tcp', ':7', { control: keyed(key) });
  const accepted = listener.accept().then((conn) => exchange(conn, plan));
  const socket = socketWithKey(key, OURS);
  socket.connect({ port: 7, host: OURS });
  const outcomes = await Promise.all([accepted, exchangeSocket(socket, plan)]);
  listener.close();
  return outcomes;
}

async function dialledByUs({ host }: Ground, plan: Plan, key: SharedKey) {
  const server = createServer({ allowHalfOpen: true }).listen(7, KERNELS);
  await once(server, 'listening');
  setServerKey(server, key, OURS);
  const accepted = once(server, 'connection').then(([socket]) => exchangeSocket(socket as KernelSocket, plan));
  const conn = await host.dial('tcp', `${KERNELS}:7`, { control: keyed(key) });
  const outcomes = await Promise.all([exchange(conn, plan), accepted]);
  server.close();
  return outcomes;
}

/** The two have different keys, or one has none. @returns whether there was a connection all the same */
export function differs(dialler: 'kernel' | 'tunstack', ours: SharedKey | undefined, kernels: SharedKey | undefined) {
  return onGround({}, async (ground) => {
    const { host } = ground;
    if (dialler === 'kernel') {
      const listener = await host.listen('tcp', ':7', { control: keyed(ours) });
      const socket = kernels === undefined ? new KernelSocket() : socketWithKey(kernels, OURS);
      let connected = false;
      socket.on('error', () => {});
      socket.connect({ port: 7, host: OURS }, () => {
        connected = true;
      });
      await ground.until(5000, 'a second SYN', () => ground.watch.tally.in.packets >= 2);
      socket.destroy();
      listener.close();
      return { connected };
    }
    const server = createServer().listen(7, KERNELS);
    await once(server, 'listening');
    if (kernels !== undefined) setServerKey(server, kernels, OURS);
    const dialled = host.dial('tcp', `${KERNELS}:7`, { control: keyed(ours), timeout: 1500 });
    const connected = await dialled.then(
      () => true,
      () => false,
    );
    server.close();
    return { connected };
  });
}
