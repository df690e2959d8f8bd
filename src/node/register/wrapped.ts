/**
 * Node's http2 and tls see a socket of ours, which has no handle, through sockets of their own. What those do not tell or do by themselves, the socket
 * under them does: whether it is connected, the addresses of both ends, and the options that act on the connection.
 */
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { EPIPE } from '../../socket/errno.ts';
import { machineNet } from '../net/machine.ts';
import { Socket } from '../net/socket.ts';

type MachineSocket = InstanceType<typeof machineNet.Socket>;

const NAMES = ['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort', 'localFamily'] as const;
const CALLS = ['setNoDelay', 'setKeepAlive', 'ref', 'unref'] as const;

/** Makes TLS sockets, and what http2 makes of streams, ask the socket of ours that they stand on. */
export function askUnder(): void {
  const wrap = wrapOf(new TLSSocket(new Duplex().destroy()));
  for (const prototype of [TLSSocket.prototype, Object.getPrototypeOf(wrap)] as MachineSocket[]) {
    tellConnecting(prototype);
    tellNames(prototype);
    passCalls(prototype);
  }
  tellConnect(Object.getPrototypeOf(wrap));
  refuseAfterEnd(Object.getPrototypeOf(wrap));
  keepOpen(TLSSocket.prototype);
}

/** What Node puts between a TLS socket and a stream that has no handle. */
function wrapOf(socket: TLSSocket): object {
  const { _handle: handle } = socket as unknown as { _handle: { _parentWrap: object } };
  return handle._parentWrap;
}

/** Our socket under one of Node's, if it is ours. */
function streamUnder(socket: MachineSocket): Socket | undefined {
  const { stream, _parent: parent } = socket as unknown as { stream?: unknown; _parent?: { stream?: unknown } | null };
  return [parent, stream, parent?.stream].find((one) => one instanceof Socket);
}

/** That it is about to connect counts as well. */
function isToConnect({ connecting, pending, destroyed }: Socket): boolean {
  return connecting || (pending && !destroyed);
}

/** They take one of ours for one that is connected (http2), or still connecting (tls), always. */
function tellConnecting(prototype: MachineSocket): void {
  const own = new WeakMap<MachineSocket, boolean>();
  Object.defineProperty(prototype, 'connecting', {
    configurable: true,
    get(this: MachineSocket) {
      const under = streamUnder(this);
      return under === undefined ? (own.get(this) ?? false) : isToConnect(under);
    },
    set(this: MachineSocket, connecting: boolean) {
      own.set(this, connecting);
    },
  });
}

function tellNames(prototype: MachineSocket): void {
  for (const name of NAMES) {
    const own = Object.getOwnPropertyDescriptor(machineNet.Socket.prototype, name);
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: MachineSocket) {
        const under = streamUnder(this);
        return under === undefined ? own?.get?.call(this) : under[name];
      },
    });
  }
}

function passCalls(prototype: MachineSocket): void {
  for (const name of CALLS) {
    const own = machineNet.Socket.prototype[name] as (...args: unknown[]) => unknown;
    const call = function (this: MachineSocket, ...args: unknown[]) {
      const under = streamUnder(this);
      if (under === undefined) return own.apply(this, args);
      (under[name] as (...all: unknown[]) => unknown)(...args);
      return this;
    };
    Object.defineProperty(prototype, name, { value: call, configurable: true, writable: true });
  }
}

/** `stream` is set once, when the wrap is made. */
function tellConnect(prototype: MachineSocket): void {
  const streams = new WeakMap<MachineSocket, Duplex>();
  Object.defineProperty(prototype, 'stream', {
    configurable: true,
    get(this: MachineSocket) {
      return streams.get(this);
    },
    set(this: MachineSocket, stream: Duplex) {
      streams.set(this, stream);
      if (stream instanceof Socket && isToConnect(stream)) stream.once('connect', () => this.emit('connect'));
    },
  });
}

/** What TLS has to say after its end (an answer to what still comes) fails as on a handle, and not the stream with it. */
function refuseAfterEnd(prototype: MachineSocket): void {
  const inner = prototype as unknown as { stream?: unknown; doWrite(...args: unknown[]): number };
  const { doWrite: write } = inner;
  inner.doWrite = function (...args) {
    return this.stream instanceof Socket && this.stream.writableEnded ? -EPIPE : write.apply(this, args);
  };
}

/** The peer's end is the TLS socket's to answer: it has something to write then. */
function keepOpen(prototype: TLSSocket): void {
  const inner = prototype as unknown as { _init(socket: unknown, ...more: unknown[]): void };
  const { _init: init } = inner;
  inner._init = function (socket, ...more) {
    init.call(this, socket, ...more);
    if (socket instanceof Socket) socket.allowHalfOpen = true;
  };
}
