/**
 * Node's http2 and tls see a socket of ours, which has no handle, through sockets of their own. What those do not tell or do by themselves, the socket
 * under them does: whether it is connected, the addresses of both ends, and the options that act on the connection.
 */
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { machineNet } from '../net/machine.ts';
import { Socket } from '../net/socket.ts';
import { streamUnder, type Wrap, type WrapClass } from './wrap.ts';
import { finishAnswers, passCloses, passWrites } from './wrapped-writes.ts';

type MachineSocket = InstanceType<typeof machineNet.Socket>;

const NAMES = ['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort', 'localFamily'] as const;
const CALLS = ['setNoDelay', 'setKeepAlive', 'ref', 'unref'] as const;

/** Makes TLS sockets, and what http2 makes of streams, ask the socket of ours that they stand on. */
export function askUnder({ prototype: wrap }: WrapClass): void {
  for (const prototype of [TLSSocket.prototype, wrap as unknown as MachineSocket]) {
    tellConnecting(prototype);
    tellNames(prototype);
    passCalls(prototype);
  }
  followStream(wrap);
  passWrites(wrap);
  passCloses(wrap);
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
  const { address } = machineNet.Socket.prototype;
  prototype.address = function () {
    return streamUnder(this)?.address() ?? address.call(this);
  };
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

/** What a wrap of a socket of ours listens to, besides what Node's own does. */
function followStream(prototype: Wrap): void {
  const streams = new WeakMap<Wrap, Duplex>();
  Object.defineProperty(prototype, 'stream', {
    configurable: true,
    get(this: Wrap) {
      return streams.get(this);
    },
    set(this: Wrap, stream: Duplex) {
      streams.set(this, stream);
      if (!(stream instanceof Socket)) return;
      if (isToConnect(stream)) stream.once('connect', () => this.emit('connect'));
      finishAnswers(this, stream);
    },
  });
}
