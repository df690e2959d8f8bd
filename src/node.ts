/** The public names of `tunstack/node`: devices of the machine, and what makes Node's own libraries run on a host. */
export { type GuardKind, openRaw, RawError, type RawLink, type RawOptions, type RawStatistics } from './link/raw.ts';
export { openTun, TunError, type TunLink, type TunOptions } from './link/tun.ts';
export { openTap, TapLink, type TapOptions } from './link/tun-tap.ts';
export { createDgram, type HostDgram } from './node/dgram/dgram.ts';
export type { DgramBindOptions, DgramOptions, DgramSocket, RemoteInfo } from './node/dgram/socket.ts';
export { nodeDnsCodec } from './node/dns-codec.ts';
export { type AddressInfo, ConnDuplex, type DuplexOptions, duplex } from './node/duplex.ts';
export { createHost } from './node/host.ts';
export { type ConnectOptions, connectFunction, type HttpService, httpAgent, serveHttp } from './node/http.ts';
export { createNet, type HostNet } from './node/net/net.ts';
export { type SecureOptions, secure } from './node/net/secure.ts';
export type { ConnectionListener, Server as NetServer, ServerOptions as NetServerOptions } from './node/net/server.ts';
export type { Socket as NetSocket } from './node/net/socket.ts';
export type { OnReadOptions, SocketOptions as NetSocketOptions } from './node/net/socket-options.ts';
export type { NodeNetError } from './node/node-error.ts';
export { nodeHasher } from './node/segment-hasher.ts';
export { nodeSystemFiles } from './node/system-files.ts';
