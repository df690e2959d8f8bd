/** Why there is no way to an address, as Linux's connect(2) and send(2) say it. */
import type { Stack } from '../stack/stack.ts';
import type { IpAddress } from '../wire/address.ts';
import { EACCES, EHOSTUNREACH, EINVAL, ENETUNREACH } from './errno.ts';

/** @param source where the socket is bound @returns EINVAL (a blackhole route), EHOSTUNREACH, EACCES (a route that prohibits), else ENETUNREACH */
export function noRouteErrno({ network }: Stack, remote: IpAddress, source: IpAddress | undefined): number {
  const route = network.routes.lookup(remote);
  switch (route?.rejection) {
    case 'blackhole':
      return EINVAL;
    case 'unreachable':
      return EHOSTUNREACH;
    case 'prohibit':
      return EACCES;
    default:
      // Linux: an address that never leaves the host is no source for what does.
      return route !== undefined && source?.isLoopback === true && source.family === 4 ? EINVAL : ENETUNREACH;
  }
}
