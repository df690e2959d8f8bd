/** One connection that somebody behind the link opens, and the one that is opened for it to where it really goes. */
import { connect, type Socket } from 'node:net';
import type { ForwardedSyn } from 'tunstack';
import { type ConnDuplex, duplex } from 'tunstack/node';

export interface ProxyOptions {
  /** The address that connections are opened from, by family: one whose packets the kernel does not route back into the TUN device. */
  readonly from4?: string | undefined;
  readonly from6?: string | undefined;
}

/** For `host.forward`: dials the destination first, and lets the other side see what came of that. */
export async function proxy(syn: ForwardedSyn, options: ProxyOptions = {}): Promise<void> {
  let upstream: Socket;
  try {
    upstream = await dial(syn, options);
  } catch {
    // Nothing was answered yet: the client's connect fails as ours did, or goes on trying.
    return syn.refuse();
  }
  try {
    join(duplex(await syn.accept(), { allowHalfOpen: true }), upstream);
  } catch {
    // The client is gone.
    upstream.destroy();
  }
}

/** The connection to where the SYN goes; given up when nobody waits for it any more. */
function dial({ local, signal }: ForwardedSyn, { from4, from6 }: ProxyOptions): Promise<Socket> {
  const localAddress = local.ip?.family === 6 ? from6 : from4;
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: `${local.ip}`,
      port: local.port,
      noDelay: true,
      allowHalfOpen: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    const aborted = () => socket.destroy(new Error('nobody waits for it'));
    signal.addEventListener('abort', aborted, { once: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      signal.removeEventListener('abort', aborted);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** What comes on one side goes out on the other; so does its end, and so does its failure. */
function join(client: ConnDuplex, upstream: Socket): void {
  client.pipe(upstream).pipe(client);
  client.once('error', () => upstream.resetAndDestroy());
  upstream.once('error', () => client.resetAndDestroy());
  client.once('close', () => upstream.destroySoon());
  upstream.once('close', () => client.destroySoon());
}
