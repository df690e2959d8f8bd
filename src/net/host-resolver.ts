/** The resolver of a host: it asks over the host's own UDP and TCP. */
import { IPPROTO_UDP } from '../socket/constants.ts';
import type { Stack } from '../stack/stack.ts';
import type { Random } from '../time/random.ts';
import type { IpAddress } from '../wire/address.ts';
import { dial } from './dial.ts';
import type { DnsDial } from './dns-exchange.ts';
import type { DnsPlan } from './dns-options.ts';
import { DnsResolver } from './dns-resolver.ts';
import type { IPAddr } from './ip-addr.ts';
import { dialPacket } from './listen-packet.ts';
import type { Net } from './net.ts';
import { localResolver } from './resolver.ts';
import { withZone } from './zones.ts';

export function hostResolver(plan: DnsPlan, stack: Stack, open: Net['open'], random: Random): DnsResolver {
  const { codec, config, hosts, services } = plan;
  // Servers are literals: nobody is asked where they are.
  const net: Net = { stack, open, services, resolver: localResolver };
  const ask: DnsDial = (network, server, options) =>
    network === 'udp' ? dialPacket(net, network, server, options) : dial(net, network, server, options);
  const means = codec && { clock: stack.clock, random, codec, dial: ask };
  return new DnsResolver({ config, hosts, services, means, sourceOf: (destination) => sourceOf(stack, destination) });
}

/** Where packets to an address would come from; undefined: there is no way there. */
function sourceOf({ network }: Stack, { ip, zone }: IPAddr): IpAddress | undefined {
  const destination = withZone(network, ip, zone);
  if (!network.isLocal(destination)) {
    const route = network.routeTo(destination);
    if (route === undefined || route.rejection !== undefined) return undefined;
  }
  return network.pathTo(destination, undefined, IPPROTO_UDP)?.source;
}
