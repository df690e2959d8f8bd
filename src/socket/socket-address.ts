/** struct sockaddr. */
import type { IpAddress } from '../wire/address.ts';

/** An address of either family, and a port (0..65535; 0 in bind: any). */
export interface SocketAddress {
  readonly address: IpAddress;
  readonly port: number;
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}
