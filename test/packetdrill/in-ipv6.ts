/**
 * A script about IPv4 as one about IPv6: the same words, but for what names addresses, options of IPPROTO_IP, and ICMP. IPv6's header is 20 bytes longer, so the
 * link's MTU is too, and every MTU that the script speaks of: then segments have the sizes that the script says.
 */
import { TYPES_6 } from '../../src/packetdrill/icmp-types.ts';
import { IP_VERSIONS } from '../../src/packetdrill/ip-version.ts';

const LONGER = 20;
const MTU = 1500 + LONGER;
const LEAST_MTU = 1280;
const { ipv6 } = IP_VERSIONS;
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\b(SOL|IPPROTO)_IP, IP_TOS\b/g, '$1_IPV6, IPV6_TCLASS'],
  [/\b(SOL|IPPROTO)_IP, IP_TTL\b/g, '$1_IPV6, IPV6_UNICAST_HOPS'],
  [/\b(SOL|IPPROTO)_IP, IP_(MTU|MTU_DISCOVER|FREEBIND)\b/g, '$1_IPV6, IPV6_$2'],
  [/\bAF_INET\b/g, 'AF_INET6'],
  [/\bip route (?=\w)/g, 'ip -6 route '],
  // What the default key makes of the addresses.
  [/\b3021b9d889017eeb\b/g, 'TFO_COOKIE'],
];
/** Of the IP layer below, which are others there. */
const OTHER_SETTINGS = /net\.ipv4\.(?:route|ip_no_pmtu_disc|icmp)\w*/;

/** @returns the script, or why there is none */
export function inIpv6(text: string): { readonly text: string } | { readonly reason: string } {
  const [setting] = OTHER_SETTINGS.exec(text) ?? [];
  if (setting !== undefined) return { reason: `${setting} is of IPv4` };
  const reason = /^\/\/ ipv6: (.*)$/m.exec(text)?.[1];
  if (reason !== undefined) return { reason };
  let out = text;
  for (const [word, other] of WORDS) out = out.replace(word, other);
  out = out
    .replace(/\bfrag_needed mtu (\d+)/g, (_, mtu) => `PTB mtu ${larger(mtu)}`)
    .replace(/unreachable PTB/g, 'packet_too_big');
  out = out.replace(/\bmtu (lock )?(\d+)(?=[^\n]*`)/g, (_, lock = '', mtu) => `mtu ${lock}${larger(mtu)}`);
  out = out.replace(/^(--mtu=)(\d+)/gm, (_, option, mtu) => `${option}${larger(mtu)}`);
  out = out.replace(/\b(tcpi_pmtu == )(\d+)/g, (_, words, mtu) => `${words}${larger(mtu)}`);
  out = out.replace(/\b192\.0\.2\.(\d+)(\/24)?/g, (_, host, prefix) => address(ipv6.remote, host, prefix));
  out = out.replace(/\b192\.168\.0\.(\d+)(\/16)?/g, (_, host, prefix) => address(ipv6.local, host, prefix));
  const code = /icmp unreachable (\w+)/.exec(out)?.[1];
  if (code !== undefined && TYPES_6['unreachable']?.codes?.[code] === undefined)
    return { reason: `ICMPv6 has no ${code}` };
  const small = [...out.matchAll(/mtu[= ](?:lock )?(\d+)/g)].find(([, mtu]) => Number(mtu) < LEAST_MTU);
  if (small !== undefined) return { reason: `an IPv6 link has no MTU of ${small[1]}` };
  const mtu = /^--mtu=/m.test(out) ? '' : `--mtu=${MTU}\n`;
  return { text: `--ip_version=ipv6\n${mtu}${out}` };
}

function larger(mtu: string): number {
  return Number(mtu) + LONGER;
}

/** The same host of the other family's network. */
function address(like: string, host: string, prefix: string | undefined): string {
  return prefix === undefined ? like.replace(/1$/, host) : `${like.replace(/1$/, '')}/48`;
}
