/** TLS over a stream that is no socket of Node's, with what TLS sockets lack there: who the peer is, and options that reach the connection. */
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { checkKind } from '../../arguments.ts';
import { machineTls } from './machine.ts';
import type { Socket } from './socket.ts';

/** Of a client those of tls.connect, of a server (`isServer: true`) those of tls.TLSSocket. */
export type SecureOptions =
  | (ConnectionOptions & { readonly isServer?: false | undefined })
  | (TLSSocketOptions & { readonly isServer: true });

const NAMES = ['localAddress', 'localFamily', 'localPort', 'remoteAddress', 'remoteFamily', 'remotePort'] as const;
const CALLS = ['setNoDelay', 'setKeepAlive', 'ref', 'unref'] as const;

/**
 * TLS over `stream`: a socket of `createNet`, a `duplex`, or any other Duplex. The TLS socket has the addresses of the stream under it, and
 * `setNoDelay`, `setKeepAlive`, `ref` and `unref` act on that. A client's `servername` is the name that the socket connected to, unless it is given.
 * What goes wrong is an `error` event. `secureConnect` is emitted on a client, `secure` on a server, when the handshake is done.
 * @throws as tls.connect and tls.TLSSocket
 */
export function secure(stream: Duplex, options: SecureOptions = {}): TLSSocket {
  checkKind('secure: the stream', stream, 'a Duplex', 'pause');
  const under = stream as Duplex & Partial<Socket>;
  const made = options.isServer === true ? new TLSSocket(stream, options) : client(under, options);
  for (const name of NAMES) Object.defineProperty(made, name, { get: () => under[name], configurable: true });
  for (const name of CALLS) {
    const call = (...args: unknown[]) => {
      (under[name] as ((...all: unknown[]) => unknown) | undefined)?.apply(under, args);
      return made;
    };
    Object.defineProperty(made, name, { value: call, configurable: true, writable: true });
  }
  const address = () => under.address?.() ?? {};
  Object.defineProperty(made, 'address', { value: address, configurable: true, writable: true });
  return made;
}

function client(under: Duplex & Partial<Socket>, options: ConnectionOptions): TLSSocket {
  const name = options.servername ?? under._host ?? undefined;
  return machineTls.connect({ ...options, ...(name === undefined ? {} : { servername: name }), socket: under });
}
