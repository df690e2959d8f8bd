/** The ends of a connection as net.Socket shows them: with the zone, and IPv4 over a socket of both families as the mapped address that it is. */
import type { TCPAddr } from '../net/tcp-addr.ts';
import type { TCPConn } from '../net/tcp-conn.ts';

/** What net.Socket.address() gives. */
export interface AddressInfo {
  readonly address: string;
  /** `IPv4` or `IPv6`. */
  readonly family: string;
  readonly port: number;
}

/** @returns undefined when there is no connection, or its peer has taken its address with it */
export function nodeAddress(conn: TCPConn | undefined, end: 'local' | 'remote'): AddressInfo | undefined {
  const address = end === 'local' ? conn?.localAddr() : conn?.remoteAddr();
  if (conn === undefined || address?.ip === undefined) return undefined;
  return { address: textOf(address, conn.socketFamily), family: `IPv${conn.socketFamily}`, port: address.port };
}

function textOf({ ip, zone }: TCPAddr, family: 4 | 6): string {
  const text = zone === '' ? `${ip}` : `${ip}%${zone}`;
  return ip?.family === 4 && family === 6 ? `::ffff:${text}` : text;
}
