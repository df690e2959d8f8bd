/** createNet: the module `node:net`, with a host of ours under it. */
import type * as machine from 'node:net';
import { deprecate } from 'node:util';
import { checkKind } from '../../arguments.ts';
import type { Host } from '../../host.ts';
import { normalizeArguments } from './arguments.ts';
import { callable } from './callable.ts';
import { clientSockets } from './channels.ts';
import { attemptTimeout, checkBoolean } from './checks.ts';
import { machineNet } from './machine.ts';
import { Place } from './place.ts';
import { type ConnectionListener, Server, type ServerOptions } from './server.ts';
import { Socket } from './socket.ts';
import type { AcceptedOptions, SocketOptions } from './socket-options.ts';
import { StreamHandle } from './stream-handle.ts';

/** It did something on Windows once. */
const simultaneousAccepts = deprecate(
  () => {},
  'net._setSimultaneousAccepts() is deprecated and will be removed.',
  'DEP0121',
);

/** A class that is called with or without `new`, as net's are. */
type Callable<Args extends unknown[], Made> = { new (...args: Args): Made; (...args: Args): Made; prototype: Made };

/** What `node:net` exports, on a host. */
export interface HostNet {
  readonly Socket: Callable<[options?: SocketOptions], Socket>;
  readonly Stream: Callable<[options?: SocketOptions], Socket>;
  readonly Server: Callable<[options?: ServerOptions | ConnectionListener, listener?: ConnectionListener], Server>;
  createServer(options?: ServerOptions | ConnectionListener, listener?: ConnectionListener): Server;
  connect(...args: unknown[]): Socket;
  createConnection(...args: unknown[]): Socket;
  readonly isIP: typeof machine.isIP;
  readonly isIPv4: typeof machine.isIPv4;
  readonly isIPv6: typeof machine.isIPv6;
  readonly BlockList: typeof machine.BlockList;
  readonly SocketAddress: typeof machine.SocketAddress;
  getDefaultAutoSelectFamily(): boolean;
  setDefaultAutoSelectFamily(value: boolean): void;
  getDefaultAutoSelectFamilyAttemptTimeout(): number;
  setDefaultAutoSelectFamilyAttemptTimeout(ms: number): void;
  _normalizeArgs(args: unknown[]): unknown[];
  _setSimultaneousAccepts(): void;
}

/**
 * `node:net` on a host: `createServer`, `connect`, `Socket`, `Server` and all else that the module has, with Node's behaviour and errors. What
 * is no TCP stays Node's own: paths, file descriptors, handles of the machine.
 */
export function createNet(host: Host): HostNet {
  checkKind('createNet: the host', host, 'a host', 'dial');
  const place = new Place(host);
  const SocketHere = callable(
    class extends Socket {
      constructor(options?: SocketOptions) {
        super(place, options);
      }
    },
    'Socket',
    isOfTheMachine,
    machineNet.Socket,
  ) as unknown as HostNet['Socket'];
  const ServerHere = callable(
    class extends Server {
      constructor(options?: ServerOptions | ConnectionListener, listener?: ConnectionListener) {
        super(place, (accepted: AcceptedOptions) => new SocketHere(accepted), options, listener);
      }
    },
    'Server',
  ) as unknown as HostNet['Server'];
  const connect = (...args: unknown[]): Socket => {
    const normalized = normalizeArguments(args);
    const [options] = normalized;
    if (options['path']) return machineNet.connect(...(args as [never])) as unknown as Socket;
    const socket = new SocketHere(options as SocketOptions);
    if (clientSockets.hasSubscribers) clientSockets.publish({ socket });
    if (options['timeout']) socket.setTimeout(options['timeout'] as number);
    return socket.connect(normalized);
  };
  return {
    Socket: SocketHere,
    Stream: SocketHere,
    Server: ServerHere,
    createServer: (options, listener) => new ServerHere(options, listener),
    connect,
    createConnection: connect,
    isIP: machineNet.isIP,
    isIPv4: machineNet.isIPv4,
    isIPv6: machineNet.isIPv6,
    BlockList: machineNet.BlockList,
    SocketAddress: machineNet.SocketAddress,
    getDefaultAutoSelectFamily: () => place.autoSelectFamily,
    setDefaultAutoSelectFamily: (value) => {
      checkBoolean(value, 'value');
      place.autoSelectFamily = value;
    },
    getDefaultAutoSelectFamilyAttemptTimeout: () => place.attemptTimeout,
    setDefaultAutoSelectFamilyAttemptTimeout: (ms) => {
      place.attemptTimeout = attemptTimeout(ms, 'value');
    },
    _normalizeArgs: normalizeArguments,
    _setSimultaneousAccepts: simultaneousAccepts,
  };
}

/** Descriptors and handles that are not ours. */
function isOfTheMachine([options]: readonly unknown[]): boolean {
  if (typeof options === 'number') return true;
  const given = options as { fd?: unknown; handle?: unknown } | null | undefined;
  if (given?.fd !== undefined) return true;
  return Boolean(given?.handle) && !(given?.handle instanceof StreamHandle);
}
