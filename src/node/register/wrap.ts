/** What Node puts between http2 or tls and a stream that has no handle, such as a socket of ours: as of Node 20 to 26. */
import type { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { Socket } from '../net/socket.ts';

/** What Node's inside sees of a wrap. */
export interface WrapHandle {
  finishWrite(request: object, status: number): void;
}

/** A `net.Socket` of Node's. */
export interface Wrap extends EventEmitter {
  /** Set once, by its constructor. */
  stream: Duplex;
  /** null: it is closed. */
  readonly _handle: WrapHandle | null;
  /** One at a time. @returns 0: `finishWrite` will be called; or -errno, and it will not */
  doWrite(request: object, list: readonly Uint8Array[]): number;
  /** Called when it is closed, too. */
  finishWrite(handle: WrapHandle, status: number): void;
  /** Destroys the stream; `done` is called later. */
  doClose(done: () => void): void;
}

export interface WrapClass {
  new (stream: Duplex): Wrap;
  readonly prototype: Wrap;
}

/** Node does not export it. */
export function findWrapClass(): WrapClass {
  const socket = new TLSSocket(new Duplex().destroy());
  const { _handle: handle } = socket as unknown as { _handle: { _parentWrap: Wrap } };
  return handle._parentWrap.constructor as unknown as WrapClass;
}

/** Our socket under a TLS socket or a wrap, if it is ours. */
export function streamUnder(socket: object): Socket | undefined {
  const { stream, _parent: parent } = socket as { stream?: unknown; _parent?: { stream?: unknown } | null };
  return [parent, stream, parent?.stream].find((one) => one instanceof Socket);
}
