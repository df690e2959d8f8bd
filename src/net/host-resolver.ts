/** The resolver of a host: it asks over the host's own UDP and TCP. */

import type { Stack } from '../stack/stack.ts';
import type { Random } from '../time/random.ts';
import type { IpAddress } from '../wire/address.ts';
import { PROTOCOL_UDP } from '../wire/ipv4.ts';
import { dial } from './dial.ts';
import type { DnsPlan } from './dns-options.ts';
import { DnsResolver } from './dns-resolver.ts';
import type { IPAddr } from './ip-addr.ts';
import { dialPacket } from './listen-packet.ts';
import type { Net } from './net.ts';
import { localResolver } from './resolver.ts';

export function hostResolver(plan: DnsPlan, stack: Stack, open: Net['open'], random: Random): DnsResolver {
  // Servers are literals: nobody is asked where they are.
  const net: Net = { stack, open, services: plan.services, resolver: localResolver };
  const { codec, config, hosts, services } = plan;
  const means = codec && {
    clock: stack.clock,
    random,
    codec,
    dial: (network: 'udp' | 'tcp', server: string, options: { timeout: number; signal?: AbortSignal | undefined }) =>
      network === 'udp' ? dialPacket(net, network, server, options) : dial(net, network, server, options),
  };
  return new DnsResolver({ config, hosts, services, means, sourceOf: (destination) => sourceOf(stack, destination) });
}

/** Where packets to an address would come from; undefined: there is no way there. */
function sourceOf({ network }: Stack, { ip }: IPAddr): IpAddress | undefined {
  if (!network.isLocal(ip) && network.routes.lookup(ip) === undefined) return undefined;
  return network.pathTo(ip, undefined, PROTOCOL_UDP)?.source;
}
