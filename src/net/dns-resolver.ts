/**
 * DnsResolver: names looked up as Go's pure resolver does it: literals, then the hosts table, then the servers; what the machine's own
 * resolver knows is asked only by a host that was told so.
 */
import { IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress } from '../wire/address.ts';
import { sortAddresses } from './address-order.ts';
import type { DnsRecord, DnsType } from './dns-codec.ts';
import type { DnsMeans } from './dns-exchange.ts';
import { isDomainName, isLocalhost, nameList, reverseName } from './dns-names.ts';
import { type Answer, ask, CANNOT_UNMARSHAL } from './dns-query.ts';
import { type MX, type SRV, sortMX, sortSRV } from './dns-sort.ts';
import { AddrError, DNSError, errClosed, type NetError } from './errors.ts';
import type { HostsTable } from './hosts-file.ts';
import { IPAddr, parseIPAddr } from './ip-addr.ts';
import { LookupGroup } from './lookup-group.ts';
import { lookupPort } from './ports.ts';
import type { DnsConfig } from './resolv-conf.ts';
import { NO_SUITABLE_ADDRESS } from './resolve.ts';
import { checkLookup, type LookupOptions, type Resolver } from './resolver.ts';
import type { Services } from './services-file.ts';
import { Turnstile } from './turnstile.ts';

/** Where a resolver gets its knowledge; each is asked anew for every lookup. */
export interface DnsSources {
  readonly config: () => DnsConfig;
  readonly hosts: () => HostsTable;
  readonly services: () => Services;
  /** undefined: there are no servers. */
  readonly means: DnsMeans | undefined;
  /** The address of ours that packets to a destination would come from. */
  readonly sourceOf: (destination: IPAddr) => IpAddress | undefined;
}

type Network = 'ip' | 'ip4' | 'ip6';

interface Found {
  readonly addresses: readonly IPAddr[];
  /** Rooted; empty: none. */
  readonly canonicalName: string;
}

/** Questions that are out at once; more than that wait. */
const AT_ONCE = 128;
const LOCALHOST = [new IPAddr(IPV4_LOOPBACK), new IPAddr(IPV6_LOOPBACK)];
const INVALID_NAMES = 'DNS response contained records which contain invalid names';

export class DnsResolver implements Resolver {
  readonly #sources: DnsSources;
  readonly #group = new LookupGroup<Found>();
  readonly #turnstile = new Turnstile(AT_ONCE);
  #questions = 0;
  #isClosed = false;

  /** For createHost alone. */
  constructor(sources: DnsSources) {
    this.#sources = sources;
  }

  /**
   * The addresses of a host, best first (RFC 6724), as texts; a literal is its own.
   * @throws DNSError (as a rejection) no such host, i/o timeout, server misbehaving, ...
   */
  async lookupHost(name: string, options: LookupOptions = {}): Promise<string[]> {
    return (await this.lookupIPAddr(name, options)).map(String);
  }

  /** As `lookupHost`, with addresses and zones apart. */
  async lookupIPAddr(name: string, options: LookupOptions = {}): Promise<IPAddr[]> {
    checkLookup('lookup', options);
    const { signal, network = 'ip' } = options;
    const literal = parseIPAddr(checkedText('name', name));
    if (literal !== undefined) return [literal];
    try {
      const { addresses } = await this.#group.do(`${network} ${name}`, signal, (shared) =>
        this.#find(name, network, shared),
      );
      return [...addresses];
    } catch (error) {
      if (error instanceof DNSError) throw error;
      const cause = error as NetError;
      throw new DNSError(cause.message, name, { isTimeout: cause.timeout, cause });
    }
  }

  /**
   * The addresses of one family (ip4, ip6) or of both (ip), zones left out.
   * @throws AddrError (as a rejection) no suitable address found, when the host has only others
   */
  async lookupIP(network: Network, name: string, options: Omit<LookupOptions, 'network'> = {}): Promise<IpAddress[]> {
    checkLookup('lookup', options);
    const all = (await this.lookupIPAddr(name, { ...options, network })).map(({ ip }) => ip);
    const suitable = all.filter(({ family }) => network === 'ip' || network === `ip${family}`);
    if (suitable.length === 0) throw new AddrError(NO_SUITABLE_ADDRESS, name);
    return suitable;
  }

  /** The port of a service, by number or by name. @throws AddrError invalid port; DNSError unknown port */
  lookupPort(network: string, service: string): number {
    return lookupPort(network, service, this.#sources.services);
  }

  /** The name that aliases lead to, rooted; that of a host without aliases is its own. @throws DNSError (as a rejection) */
  async lookupCNAME(name: string, options: LookupOptions = {}): Promise<string> {
    checkLookup('lookup', options);
    const { canonicalName } = await this.#find(name, 'CNAME', options.signal);
    if (canonicalName === '') throw noSuchHost(name);
    if (!isDomainName(canonicalName)) throw new DNSError(INVALID_NAMES, name);
    return canonicalName;
  }

  /** Mail exchangers, to be tried in this order. @throws DNSError (as a rejection) */
  async lookupMX(name: string, options: LookupOptions = {}): Promise<MX[]> {
    checkLookup('lookup', options);
    const { records, server } = await this.#records(name, 'MX', options.signal);
    const all = records.map(({ target, preference }) => ({ host: target, pref: preference }));
    // RFC 7505 3: the root says that there is no mail.
    const valid = all.filter(({ host }) => isDomainName(host));
    return sortMX(this.#checked(name, server, all, valid), this.#random);
  }

  /** Name servers, rooted. @throws DNSError (as a rejection) */
  async lookupNS(name: string, options: LookupOptions = {}): Promise<string[]> {
    checkLookup('lookup', options);
    const { records, server } = await this.#records(name, 'NS', options.signal);
    const all = records.map(({ target }) => target);
    return this.#checked(name, server, all, all.filter(isDomainName));
  }

  /** Texts, one a record. @throws DNSError (as a rejection) */
  async lookupTXT(name: string, options: LookupOptions = {}): Promise<string[]> {
    checkLookup('lookup', options);
    const { records } = await this.#records(name, 'TXT', options.signal);
    return records.map(({ text }) => text);
  }

  /**
   * Where a service is, to be tried in this order: asks for `_service._proto.name`, or for `name` alone when both are empty.
   * @returns the name of the records, rooted, and what they say
   * @throws DNSError (as a rejection)
   */
  async lookupSRV(
    service: string,
    proto: string,
    name: string,
    options: LookupOptions = {},
  ): Promise<{ cname: string; addrs: SRV[] }> {
    checkLookup('lookup', options);
    checkedText('service', service);
    checkedText('proto', proto);
    checkedText('name', name);
    const target = service === '' && proto === '' ? name : `_${service}._${proto}.${name}`;
    const { records, server } = await this.#records(target, 'SRV', options.signal);
    const all = records.map(({ target: host, port, priority, weight }) => ({ target: host, port, priority, weight }));
    const valid = all.filter((one) => isDomainName(one.target));
    return {
      cname: records[0]?.name ?? '',
      addrs: sortSRV(this.#checked(target, server, all, valid), this.#random),
    };
  }

  /** The names of an address: those of the hosts table, or else those that servers know. @throws DNSError (as a rejection) unrecognized address, no such host, ... */
  async lookupAddr(address: string, options: LookupOptions = {}): Promise<string[]> {
    checkLookup('lookup', options);
    const parsed = parseIPAddr(checkedText('address', address));
    if (parsed === undefined) throw new DNSError('unrecognized address', address);
    const known = this.#sources.hosts().names(parsed);
    if (known.length > 0) return [...known];
    const { records, server } = await this.#records(reverseName(parsed.ip), 'PTR', options.signal);
    const all = records.map(({ target }) => target);
    return this.#checked(address, server, all, all.filter(isDomainName));
  }

  /** Nobody is asked any more: lookups that would have to fail with `use of closed network connection`. */
  close(): void {
    this.#isClosed = true;
  }

  get #random(): DnsMeans['random'] {
    return (this.#sources.means as DnsMeans).random;
  }

  /** Go's goLookupIPCNAMEOrder: the hosts table first, then each name of the search list until one has addresses. */
  async #find(name: string, network: Network | 'CNAME', signal: AbortSignal | undefined): Promise<Found> {
    const known = this.#sources.hosts().host(checkedText('name', name));
    if (known !== undefined) {
      return { addresses: this.#sorted(known.addresses), canonicalName: known.canonicalName };
    }
    // RFC 6761 6.3: localhost means the loopback addresses, and no server is asked.
    if (isLocalhost(name)) return { addresses: LOCALHOST, canonicalName: name };
    if (!isDomainName(name)) throw noSuchHost(name);
    const { search, ndots } = this.#sources.config();
    let failure: DNSError | undefined;
    for (const full of nameList(name, search, ndots)) {
      const types = TYPES[network];
      const results = await this.#askAll(full, types, name, signal);
      let found: Found = { addresses: [], canonicalName: '' };
      for (const [i, result] of results.entries()) {
        if (result instanceof DNSError) {
          // Go: what is said of the name as it was given goes before what is said of it with a suffix.
          if (failure === undefined || full !== `${name}.`) failure = result;
          continue;
        }
        found = withAnswers(found, result, types[i] as DnsType);
        if (result.message.answersAreCut) failure = new DNSError(CANNOT_UNMARSHAL, name, { server: result.server });
      }
      if (found.addresses.length > 0 || (network === 'CNAME' && found.canonicalName !== ''))
        return { ...found, addresses: this.#sorted(found.addresses) };
    }
    throw failure ?? noSuchHost(name);
  }

  /** Each type's answer, or why there is none; side by side, unless the configuration has it otherwise. */
  async #askAll(
    full: string,
    types: readonly DnsType[],
    shown: string,
    signal: AbortSignal | undefined,
  ): Promise<(Answer | DNSError)[]> {
    const config = this.#sources.config();
    const one = (type: DnsType) =>
      this.#ask(full, type, shown, config, signal).catch((error: unknown) => {
        if (error instanceof DNSError) return error;
        throw error;
      });
    if (!config.singleRequest) return Promise.all(types.map(one));
    const results: (Answer | DNSError)[] = [];
    for (const type of types) results.push(await one(type));
    return results;
  }

  async #ask(
    full: string,
    type: DnsType,
    shown: string,
    config: DnsConfig,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const { means } = this.#sources;
    if (this.#isClosed) throw new DNSError(errClosed.message, shown, { cause: errClosed });
    if (means === undefined || config.servers.length === 0) throw noSuchHost(shown);
    const firstServer = config.rotate ? this.#questions++ % config.servers.length : 0;
    return ask(
      means,
      this.#turnstile,
      { name: full, type },
      {
        config,
        firstServer,
        shown,
        signal,
        isOver: () => this.#isClosed,
      },
    );
  }

  /** Go's lookup: the records of one type, of the first name of the search list that has any. */
  async #records<T extends DnsType>(
    name: string,
    type: T,
    signal: AbortSignal | undefined,
  ): Promise<{ records: Extract<DnsRecord, { type: T }>[]; server: string }> {
    if (!isDomainName(checkedText('name', name))) throw noSuchHost(name);
    const config = this.#sources.config();
    let failure: unknown = noSuchHost(name);
    for (const full of nameList(name, config.search, config.ndots)) {
      try {
        const { message, server } = await this.#ask(full, type, name, config, signal);
        if (message.answersAreCut) throw new DNSError(CANNOT_UNMARSHAL, name, { server });
        return { records: message.answers.filter((record) => isOfType(record, type)), server };
      } catch (error) {
        failure = error;
        if (signal?.aborted) break;
      }
    }
    throw failure;
  }

  /** Go drops records whose names are none, and says so when that leaves nothing. */
  #checked<T>(name: string, server: string, all: readonly T[], valid: T[]): T[] {
    if (valid.length === 0 && all.length > 0) throw new DNSError(INVALID_NAMES, name, { server });
    return valid;
  }

  #sorted(addresses: readonly IPAddr[]): IPAddr[] {
    return sortAddresses(addresses, this.#sources.sourceOf);
  }
}

const TYPES: Readonly<Record<Network | 'CNAME', readonly DnsType[]>> = {
  ip: ['A', 'AAAA'],
  ip4: ['A'],
  ip6: ['AAAA'],
  CNAME: ['A', 'AAAA', 'CNAME'],
};

/**
 * RFC 1034 4.3.1: a server that asks further itself answers with the aliases on the way and then with the records, so that all addresses of the
 * message are those of the name; the one of the first of them is what the aliases lead to.
 */
function withAnswers(found: Found, { message }: Answer, type: DnsType): Found {
  const addresses = [...found.addresses];
  let { canonicalName } = found;
  const first = message.answers.findIndex((record) => record.type === type);
  for (const record of message.answers.slice(first)) {
    if (record.type === 'A' || record.type === 'AAAA') {
      addresses.push(new IPAddr(record.address));
      if (canonicalName === '') canonicalName = record.name;
    } else if (record.type === 'CNAME' && canonicalName === '') canonicalName = record.target;
  }
  return { addresses, canonicalName };
}

function isOfType<T extends DnsType>(record: DnsRecord, type: T): record is Extract<DnsRecord, { type: T }> {
  return record.type === type;
}

function noSuchHost(name: string): DNSError {
  return new DNSError('no such host', name, { isNotFound: true });
}

/** Go's compiler sees to that. @throws TypeError */
function checkedText(what: string, text: unknown): string {
  if (typeof text === 'string') return text;
  throw new TypeError(`lookup: ${what} must be a string, got ${typeof text}`);
}
