/** A link over a WebSocket: every binary message is an IP packet. */
import { type DuplexLinkOptions, linkFromDuplex } from '../link/duplex.ts';
import type { Link } from '../link/link.ts';
import { PortDuplex, packetOf } from './port-duplex.ts';

/** What is used of a WebSocket: the browser's, Node's, or one of the package ws. */
export interface PacketWebSocket {
  binaryType: string;
  /** 0: connecting, 1: open, 2: closing, 3: closed. */
  readonly readyState: number;
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number;
  send(data: Uint8Array): void;
  close(): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'open' | 'close' | 'error', listener: (event: { message?: string }) => void): void;
}

export interface WebSocketLinkOptions extends DuplexLinkOptions {
  /** Bytes that may wait in the socket before the link takes no more. Default: 1 MiB. */
  readonly highWaterMark?: number | undefined;
}

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const HIGH_WATER = 1 << 20;
/** A WebSocket does not tell when it has sent: it is asked, so often, ms. */
const ASK_AGAIN = 5;

declare const setTimeout: (callback: () => void, ms: number) => unknown;

/**
 * A link whose other end is whatever reads packets from the other end of the socket: another `linkFromWebSocket`, in general. What is sent before the
 * socket is open waits for it. Text messages are left alone. The link ends with the socket, and closing the link closes the socket.
 * @throws TypeError when this is no WebSocket, or `highWaterMark` no positive number
 * @throws RangeError when `mtu` is out of range
 */
export function linkFromWebSocket(socket: PacketWebSocket, options: WebSocketLinkOptions = {}): Link {
  if (typeof socket?.send !== 'function' || typeof socket.addEventListener !== 'function')
    throw new TypeError('linkFromWebSocket: a WebSocket is needed, with send() and addEventListener()');
  const { highWaterMark = HIGH_WATER, ...rest } = options;
  if (!(highWaterMark > 0))
    throw new TypeError(`linkFromWebSocket: highWaterMark must be above 0, got ${highWaterMark}`);
  socket.binaryType = 'arraybuffer';
  let isAsking = false;
  const ask = () => {
    isAsking = false;
    if (socket.readyState >= CLOSING) return;
    if (socket.readyState === OPEN && socket.bufferedAmount < highWaterMark) duplex.emit('drain');
    else askLater();
  };
  const askLater = () => {
    if (isAsking) return;
    isAsking = true;
    setTimeout(ask, ASK_AGAIN);
  };
  const early: Uint8Array[] = [];
  const duplex = new PortDuplex(
    (packet) => {
      if (socket.readyState >= CLOSING) return true;
      if (socket.readyState === OPEN) socket.send(packet);
      else early.push(packet);
      if (socket.readyState === OPEN && socket.bufferedAmount < highWaterMark) return true;
      askLater();
      return false;
    },
    () => socket.close(),
  );
  let failure: Error | undefined;
  socket.addEventListener('open', () => {
    for (const packet of early.splice(0)) socket.send(packet);
  });
  socket.addEventListener('message', ({ data }) => {
    const packet = packetOf(data);
    if (packet !== undefined) duplex.emit('data', packet);
  });
  socket.addEventListener('error', ({ message }) => {
    failure = new Error(`websocket: ${message || 'failed'}`);
  });
  socket.addEventListener('close', () =>
    failure === undefined ? duplex.emit('close') : duplex.emit('error', failure),
  );
  const link = linkFromDuplex(duplex, { name: 'websocket', ...rest });
  // One that is closed already says so no more.
  if (socket.readyState === CLOSED) duplex.emit('close');
  return link;
}
