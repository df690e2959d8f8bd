/** The public names of `tunstack/web`: faces of the web on a host. */
export {
  type AnySocketAddress,
  type BytePair,
  type Connect,
  type ConnectSettings,
  createConnect,
  type Secure,
  type SecureTransportKind,
  Socket,
  type SocketAddress,
  SocketError,
  type SocketInfo,
  type SocketOptions,
} from './web/connect.ts';
export { linkFromMessagePort, type MessagePortLinkOptions, type PacketPort } from './web/message-port.ts';
export { linkFromWebSocket, type PacketWebSocket, type WebSocketLinkOptions } from './web/websocket.ts';
