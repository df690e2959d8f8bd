/** struct sockaddr_in and sockaddr_in6 of the kernel. */
import { AF_INET, AF_INET6 } from '../socket/constants.ts';
import type { SocketAddress } from '../socket/socket.ts';
import { IpAddress } from '../wire/address.ts';

const IN_LENGTH = 16;
const IN6_LENGTH = 28;
/** Room for either. */
export const SOCKADDR_LENGTH = IN6_LENGTH;

/** An address for a socket of that domain: IPv4 addresses are mapped for AF_INET6; one of IPv6 stays what it is, which AF_INET refuses. */
export function toSockaddr(domain: number, { address, port }: SocketAddress): Uint8Array {
  const six = domain === AF_INET6 || address.family === 6;
  const bytes = new Uint8Array(six ? IN6_LENGTH : IN_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, six ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port);
  if (!six) {
    view.setInt32(4, address.w3);
    return bytes;
  }
  for (const [i, word] of [address.bareW0, address.w1, address.w2, address.w3].entries())
    view.setInt32(8 + 4 * i, word);
  view.setUint32(24, address.zone, true);
  return bytes;
}

export function fromSockaddr(bytes: Uint8Array): SocketAddress {
  const view = new DataView(bytes.buffer);
  const port = view.getUint16(2);
  if (view.getUint16(0, true) !== AF_INET6) return { address: IpAddress.v4(view.getInt32(4)), port };
  const [w0, w1, w2, w3] = [8, 12, 16, 20].map((at) => view.getInt32(at)) as [number, number, number, number];
  return { address: IpAddress.v6(w0, w1, w2, w3).withZone(view.getUint32(24, true)), port };
}
