/** Options about buffers and how full they are: Linux's bounds and effects. */
import { setWindowClamp } from '../tcp/receive-window.ts';
import { MIN_SNDBUF } from '../tcp/send-buffer.ts';
import { RECEIVE_BUFFER_LOCK, SEND_BUFFER_LOCK } from '../tcp/settings.ts';
import { EINVAL } from './errno.ts';
import type { Socket } from './socket.ts';

/** Linux's bound. */
export const MIN_RCVBUF = 2304;

/** Linux doubles what is asked for, to pay for its own bookkeeping, and shows the double. From then on the buffer does not grow by itself. */
export function setSendBuffer({ settings, stack, connection }: Socket, value: number): number {
  settings.sndBuf = bufferSize(value, stack.sysctl.wmem_max, MIN_SNDBUF);
  settings.bufferLocks |= SEND_BUFFER_LOCK;
  // There may be room now.
  if (connection !== undefined) stack.tcp.markReady(connection);
  return 0;
}

export function setReceiveBuffer({ settings, stack }: Socket, value: number): number {
  settings.rcvBuf = bufferSize(value, stack.sysctl.rmem_max, MIN_RCVBUF);
  settings.bufferLocks |= RECEIVE_BUFFER_LOCK;
  return 0;
}

/** What is asked for, doubled, within bounds. A negative value is a very large one. */
export function bufferSize(value: number, most: number, least: number): number {
  return Math.max(2 * Math.min(value < 0 ? most : value, most), least);
}

/** SO_BUF_LOCK: which buffers do not grow by themselves: 1, the send buffer; 2, the receive buffer. */
export function setBufferLock({ settings }: Socket, value: number): number {
  if ((value & ~(SEND_BUFFER_LOCK | RECEIVE_BUFFER_LOCK)) !== 0) return -EINVAL;
  settings.bufferLocks = value;
  return 0;
}

/** SO_RCVLOWAT: no more than half of what the buffer is or may become, which grows to hold it. */
export function setReceiveLowat({ settings, stack, connection }: Socket, value: number): number {
  const locked = (settings.bufferLocks & RECEIVE_BUFFER_LOCK) !== 0;
  const most = (locked ? settings.rcvBuf : stack.sysctl.tcp_rmem[2]) >> 1;
  settings.rcvLowat = Math.max(value < 0 ? most : Math.min(value, most), 1);
  if (!locked && 2 * settings.rcvLowat > settings.rcvBuf) {
    settings.rcvBuf = 2 * settings.rcvLowat;
    if (settings.windowClamp > 0) settings.windowClamp = Math.max(settings.windowClamp, settings.rcvLowat);
  }
  // There may be enough already. Behind a FIN Linux says so in any case.
  if (connection !== undefined && (connection.receiveQueue.length >= settings.rcvLowat || connection.finReceived))
    stack.tcp.markReady(connection);
  return 0;
}

/** TCP_NOTSENT_LOWAT: 0: tcp_notsent_lowat. */
export function setNotsentLowat({ settings, stack, connection }: Socket, value: number): number {
  settings.rarely.notsentLowat = value;
  if (connection !== undefined) stack.tcp.markReady(connection);
  return 0;
}

/** TCP_WINDOW_CLAMP. @returns -EINVAL for 0 with a connection, or on a listener */
export function setClamp({ settings, connection, listening }: Socket, value: number): number {
  const live = connection?.released === false ? connection : undefined;
  if (value === 0 && (live !== undefined || listening)) return -EINVAL;
  setWindowClamp(settings, live, value);
  return 0;
}

/** SO_OOBINLINE; the byte that waits stays where it is: the reader comes by it, or does not. */
export function setInline({ settings }: Socket, value: boolean): number {
  settings.rarely.oobInline = value;
  return 0;
}
