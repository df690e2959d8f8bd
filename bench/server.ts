/** A peer of the load generator, in a network namespace of its own. */
import { createHost } from '../src/host.ts';
import { openTun } from '../src/link/tun.ts';
import { enterNetworkNamespace } from '../src/link/tun-namespace.ts';
import { answer } from './child.ts';
import { PEER_ADDRESS, prepareNamespace } from './namespace.ts';
import { serve } from './services.ts';
import { serveNet, serveNode } from './services-net.ts';

export interface TunstackCall {
  readonly offload: boolean;
  /** Bytes. */
  readonly mtu: number;
  /** BSD sockets, or promises. */
  readonly face: 'socket' | 'net';
}

answer({
  enter: () => enterNetworkNamespace(),
  tunstack: async ({ offload, mtu, face }: TunstackCall) => {
    const link = openTun({ name: 'bench0', offload, mtu });
    prepareNamespace('bench0', '10.9.0.1/24');
    const host = createHost({ link, address: `${PEER_ADDRESS}/24` });
    if (face === 'net') await serveNet(host);
    else serve(host);
  },
  /** When the other end of the veth pair is there. */
  node: async () => {
    prepareNamespace('bench1', `${PEER_ADDRESS}/24`);
    await serveNode(PEER_ADDRESS);
  },
});
