/** The public names of `tunstack`: what runs anywhere. Devices and Node's faces are in `tunstack/node`. */
export { type CloseOptions, createHost, Host } from './host.ts';
export { type CapturedLink, type CaptureOptions, captured } from './link/captured.ts';
export { LinkClosedError } from './link/closed-error.ts';
export { type DuplexLinkOptions, linkFromDuplex, type PacketDuplex } from './link/duplex.ts';
export {
  type AddressState,
  createEthernet,
  type Defence,
  type EthernetLink,
  type EthernetOptions,
  type EthernetStatistics,
  type NeighbourInfo,
  type NeighbourSettings,
} from './link/ethernet.ts';
export {
  type BurstLoss,
  type Direction,
  type ImpairedLink,
  type ImpairedOptions,
  type Impairment,
  impaired,
  type PathStatistics,
  type Reorder,
  type Rule,
  type RuleInfo,
} from './link/impaired.ts';
export type { AddressConflict, InterfaceAddress, Link, LinkCapabilities, LinkReceiver } from './link/link.ts';
export { createPipe, type PipeOptions } from './link/pipe.ts';
export { createSwitch, type FramePort, type Switch, type SwitchOptions, type SwitchStatistics } from './link/switch.ts';
export { Buffers } from './net/buffers.ts';
export type { Conn, Listener, Reader, WaitOptions, Writer } from './net/conn.ts';
export type { ByteSinks, ByteSources } from './net/copy.ts';
export type { DialOptions, DialTCPOptions } from './net/dial.ts';
export {
  type AnyControl,
  type CallOptions,
  Dialer,
  type DialerOptions,
  type DialHost,
  ListenConfig,
  type ListenConfigOptions,
  type ListenHost,
} from './net/dialer.ts';
export type { DnsCodec, DnsMessage, DnsQuery, DnsQuestion, DnsRecord, DnsType } from './net/dns-codec.ts';
export type { DnsOptions } from './net/dns-options.ts';
export { DnsResolver } from './net/dns-resolver.ts';
export type { MX, SRV } from './net/dns-sort.ts';
export {
  AddrError,
  CanceledError,
  ClosedError,
  ClosedPipeError,
  DeadlineExceededError,
  DialTimeoutError,
  DNSError,
  type DNSErrorDetails,
  Errno,
  errClosed,
  errDeadlineExceeded,
  errTimeout,
  errWriteToConnected,
  InvalidAddrError,
  type NetError,
  ParseError,
  SyscallError,
  UnknownNetworkError,
  WriteToConnectedError,
} from './net/errors.ts';
export type { ForwardCallback, ForwardedSyn, Forwarder, ForwardOptions } from './net/forward.ts';
export type { AcceptAnyOptions, HostOptions, LinkOptions } from './net/host-options.ts';
export { type HostPort, joinHostPort, splitHostPort } from './net/host-port.ts';
export { IPAddr } from './net/ip-addr.ts';
export { cidrMask, IPMask, IPNet, parseCIDR, parseIP } from './net/ip-net.ts';
export type { KeepAliveConfig, KeepAliveOptions } from './net/keep-alive.ts';
export type { ListenOptions } from './net/listen.ts';
export type { DialPacketOptions, ListenPacketOptions, PacketControl } from './net/listen-packet.ts';
export type { Control } from './net/net.ts';
export { type Addr, OpError } from './net/op-error.ts';
export { PipeConn, type PipeConnOptions, pipe } from './net/pipe.ts';
export { lookupPort } from './net/ports.ts';
export { type ResolveOptions, resolveTCPAddr } from './net/resolve.ts';
export { type LookupOptions, localResolver, type Resolver } from './net/resolver.ts';
export type { RouteOptions, RouteSelector, RouteStatus } from './net/route-options.ts';
export type { Services } from './net/services-file.ts';
export type { SystemFiles } from './net/system-files.ts';
export { TCPAddr } from './net/tcp-addr.ts';
export { TCPConn } from './net/tcp-conn.ts';
export { TCPListener } from './net/tcp-listener.ts';
export { resolveUDPAddr, UDPAddr } from './net/udp-addr.ts';
export { type ReadFrom, type ReceivedDatagram, UDPConn } from './net/udp-conn.ts';

export { type PacketdrillOptions, type PacketdrillResult, runPacketdrill } from './packetdrill/run.ts';
export * from './socket/constants.ts';
export type { DatagramError, DatagramMessage } from './socket/datagram-message.ts';
export type { DatagramSocket } from './socket/datagram-socket.ts';
export { Epoll, type EpollEvent, type Pollable } from './socket/epoll.ts';
export { errnoName, errnoText } from './socket/errno.ts';
export type {
  AoAdd,
  AoDelete,
  AoInfoSetting,
  AoInfoStatus,
  AoKeyStatus,
  Md5Signature,
} from './socket/key-values.ts';
export type { Socket, SocketAddress } from './socket/socket.ts';
export type { Counters, SocketStatus } from './stack/stack.ts';
export type { AckNews } from './tcp/ack-news.ts';
export type { TcpConfig } from './tcp/config.ts';
export { type CongestionControl, congestionControls, registerCongestionControl } from './tcp/congestion/congestion.ts';
export type { ControlBlock } from './tcp/control-block.ts';
export type { TcpInfo } from './tcp/info.ts';
export type { RateSample } from './tcp/rate-sample.ts';
export type { SegmentHasher } from './tcp/segment-hasher.ts';
export type { Clock, Timer } from './time/clock.ts';
export { type Random, seededRandom, systemRandom } from './time/random.ts';
export { RealClock } from './time/real-clock.ts';
export { type PendingTime, type RunOptions, VirtualClock, type VirtualClockOptions } from './time/virtual-clock.ts';
export type { Flow, TraceEvent, TraceSink } from './trace/events.ts';
export { IpAddress, type Prefix, parsePrefix } from './wire/address.ts';
