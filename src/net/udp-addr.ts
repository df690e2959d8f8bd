/** UDPAddr: one end of UDP. */
import { EndAddr } from './end-addr.ts';
import { UnknownNetworkError } from './errors.ts';
import { checkText } from './host-port.ts';
import { checkResolve, preferred, type ResolveOptions, resolveAs } from './resolve.ts';

export class UDPAddr extends EndAddr {
  network(): string {
    return 'udp';
  }
}

/** @throws UnknownNetworkError for anything but udp, udp4, udp6 */
export function checkUdpNetwork(network: string): void {
  if (!isUdpNetwork(network)) throw new UnknownNetworkError(network);
}

export function isUdpNetwork(network: unknown): boolean {
  return network === 'udp' || network === 'udp4' || network === 'udp6';
}

/**
 * The address of one end (Go: net.ResolveUDPAddr). `network` is udp, udp4, udp6 or '' (udp); the rest is as with `resolveTCPAddr`.
 * @throws UnknownNetworkError, AddrError, DNSError (as rejections)
 */
export async function resolveUDPAddr(network: string, address: string, options: ResolveOptions = {}): Promise<UDPAddr> {
  checkText('resolveUDPAddr: network', network);
  checkText('resolveUDPAddr: address', address);
  checkResolve('resolveUDPAddr', options);
  const known = network === '' ? 'udp' : network;
  checkUdpNetwork(known);
  const list = await resolveAs(UDPAddr, known, address, options);
  return preferred(list, known === 'udp' && address.includes('[') ? 6 : 4);
}
