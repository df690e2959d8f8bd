/** What SO_KEEPALIVE and TCP_KEEPIDLE both end in. */

import { armKeepalive } from '../tcp/keepalive.ts';
import type { Socket } from './socket.ts';

export function keepaliveChanged(socket: Socket): number {
  if (socket.connection === undefined) return 0;
  armKeepalive(socket.connection, socket.stack.clock.now());
  socket.stack.wake();
  return 0;
}
