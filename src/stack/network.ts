/** The host's place in the network: its interfaces and addresses, its routes, and the paths that follow from them. */
import type { IpCounters } from '../ip/counters.ts';
import { Identifications } from '../ip/identification.ts';
import type { InboundPacket } from '../ip/inbound.ts';
import type { InterfaceAddress, Link } from '../link/link.ts';
import { createPipe } from '../link/pipe.ts';
import type { TcpConfig } from '../tcp/config.ts';
import type { PathMetrics } from '../tcp/path.ts';
import type { Random } from '../time/random.ts';
import { IPV4_LOOPBACK, IPV6_LOOPBACK, IpAddress } from '../wire/address.ts';
import { deviceOf } from './devices.ts';
import { Interface, type InterfaceOwner, LOOPBACK_INDEX } from './interface.ts';
import { OwnAddresses } from './own-addresses.ts';
import { PathMtus } from './path-mtus.ts';
import { isRoutable } from './routable.ts';
import { type KnownPath, NOTHING_KNOWN, type PathKnowledge, RoutedPath } from './routed-path.ts';
import { type Route, Routes } from './routes.ts';
import { sourceAddress } from './source-address.ts';

const LINK_LOCAL = 0xfe800000;

export class Network implements PathKnowledge {
  readonly interfaces: Interface[] = [];
  readonly routes = new Routes();
  /** The addresses of all interfaces. */
  readonly own = new OwnAddresses();
  readonly #owner: InterfaceOwner;
  readonly #sysctl: TcpConfig;
  readonly ipCounters: IpCounters;
  readonly identifications: Identifications;
  readonly #random: Random;
  /** What routers said of the way to a destination. */
  readonly mtus: PathMtus;
  /** Counts changes of routes and of MTUs. */
  version = 0;
  /** The interface to the host itself: what goes out on one end comes in on the other. */
  #loopback: Interface | undefined;
  #loopbackIn: Interface | undefined;

  constructor(owner: InterfaceOwner, sysctl: TcpConfig, counters: IpCounters, random: Random) {
    this.#owner = owner;
    this.#sysctl = sysctl;
    this.ipCounters = counters;
    this.#random = random;
    this.identifications = new Identifications(random);
    this.mtus = new PathMtus(owner.clock, sysctl, () => {
      this.version++;
    });
  }

  /** @throws Error when the link is attached already */
  addInterface(link: Link, name: string, addresses: readonly InterfaceAddress[]): Interface {
    const index = this.interfaces.length + LOOPBACK_INDEX + 1;
    const all = addresses.map(({ address, bits }) => ({ address: address.withZone(index), bits }));
    // RFC 4291 2.1, 2.8: an interface that speaks IPv6 has a link-local address.
    const isLinkLocal = ({ address }: InterfaceAddress) => address.isLinkLocal;
    if (all.some(({ address }) => address.family === 6) && !all.some(isLinkLocal)) {
      all.push({ address: linkLocalAddress(link.hardwareAddress, this.#random).withZone(index), bits: 64 });
    }
    const added = new Interface(this.#owner, link, name, index, all);
    this.interfaces.push(added);
    for (const own of all) {
      const { address, bits } = own;
      this.own.add(own, index);
      if (!address.isLinkLocal) this.routes.add({ destination: address, bits, interface: added });
    }
    this.version++;
    return added;
  }

  addRoute(route: Route): void {
    this.routes.add(route);
    this.version++;
  }

  /** As `ip route replace`: connections follow at once, as far as metrics may change while they live. */
  replaceRoute(route: Route): void {
    this.routes.replace(route);
    this.version++;
  }

  /** @returns false: it was not there */
  removeRoute(route: Route): boolean {
    this.version++;
    return this.routes.remove(route);
  }

  /** The interface of routes that lead nowhere. */
  get nowhere(): Interface {
    return this.#lo();
  }

  /** Forgets what routers said of MTUs: `ip route flush cache`. */
  forgetMtus(): void {
    this.mtus.clear();
    this.version++;
  }

  // What paths ask.

  /** RFC 1191 5.2: the MTU of the route, or less, when a router has said so. */
  lookup({ destination, egress }: RoutedPath): KnownPath {
    const metrics = this.isLocal(destination) ? undefined : this.#metricsTo(destination, egress as Interface);
    const { mtu = NOTHING_KNOWN.mtu, mtuLocked: locked = false } = metrics ?? NOTHING_KNOWN.metrics;
    const known = locked ? undefined : this.mtus.of(destination);
    if (known !== undefined) {
      return { metrics: metrics ?? NOTHING_KNOWN.metrics, mtu: Math.min(mtu, known.mtu), locked: known.locked };
    }
    return metrics === undefined ? NOTHING_KNOWN : { metrics, mtu, locked };
  }

  tooLarge(path: RoutedPath, mtu: number): void {
    if (path.metrics.mtuLocked !== true) this.mtus.learn(path.destination, mtu, path.mtu);
  }

  chance(): number {
    return this.#random.uint32() & 0xffff;
  }

  #metricsTo(destination: IpAddress, over: Interface): PathMetrics | undefined {
    const route = this.routes.lookup(destination);
    return route?.interface === over ? route.metrics : undefined;
  }

  /** Whether the address is one of the host's: an interface's, ::1, or anything in 127.0.0.0/8. */
  isLocal(address: IpAddress): boolean {
    return address.isLoopback || this.hasAddress(address.w0, address.w1, address.w2, address.w3);
  }

  /** Whether the address is that of all hosts of a network: 255.255.255.255, or the last of an interface's, the loopback's too. RFC 1122 3.2.1.3. */
  isBroadcast(address: IpAddress): boolean {
    return address.family === 4 && this.isBroadcast4(address.w3);
  }

  /** The same of an IPv4 address as a number. */
  isBroadcast4(word: number): boolean {
    // Linux: the last of 127.0.0.0/8 is that of the loopback.
    return word === -1 || word === 0x7fff_ffff || this.own.isBroadcast(word);
  }

  /** Whether an address is one of the interfaces', in words. */
  hasAddress(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.own.find(w0, w1, w2, w3) !== undefined;
  }

  /** The address as the interface has it that it is of: connections need none of their own; else as it came. */
  shared(address: IpAddress): IpAddress {
    return this.own.find(address.w0, address.w1, address.w2, address.w3)?.address ?? address;
  }

  /** The index of the interface that a packet came over; of what the host sent to itself, of the one that has its destination (Linux). */
  deviceOf(from: Interface, { d0, d1, d2, d3 }: InboundPacket): number {
    return from === this.#loopbackIn ? (this.own.find(d0, d1, d2, d3)?.device ?? LOOPBACK_INDEX) : from.index;
  }

  isLoopback(from: Interface): boolean {
    return from === this.#loopbackIn;
  }

  /** Whether a packet that came in on an interface is for this host. The hot path: no closures. */
  isForUs(from: Interface, packet: InboundPacket): boolean {
    if (from === this.#loopbackIn) return true;
    if (packet.family === 6 && packet.d0 >>> 24 === 0xff) return isJoined(from, packet);
    // RFC 1122 3.2.1.3, RFC 4291 2.5.3: 127/8 and ::1 do not appear outside a host.
    if (isLoopbackWords(packet.family, packet.s0, packet.s1, packet.s2, packet.s3)) return false;
    if (isLoopbackWords(packet.family, packet.d0, packet.d1, packet.d2, packet.d3)) return false;
    if (this.isOwn(packet)) return true;
    return from.acceptAny && this.isForeign(packet);
  }

  /** Whether a packet goes to an address of one of the interfaces. The hot path: no closures. */
  isOwn({ d0, d1, d2, d3 }: InboundPacket): boolean {
    return this.hasAddress(d0, d1, d2, d3);
  }

  /** RFC 1812 5.3.8: whether packets back to the source of one that came in would go out where it came from (`strict`), or anywhere. */
  hasWayBack(from: Interface, { family, s0, s1, s2, s3 }: InboundPacket, strict: boolean): boolean {
    const route = this.routes.find(family, s0, s1, s2, s3);
    if (route === undefined || route.rejection !== undefined) return false;
    return !strict || route.interface === from;
  }

  /** Whether a packet goes to one host, which may be anywhere. */
  isForeign({ family, d0, d1, d2, d3 }: InboundPacket): boolean {
    return isRoutable(family, d0, d1, d2, d3) && !(family === 4 && this.isBroadcast4(d3));
  }

  /**
   * The way to an address, from a given one of ours or the one that suits.
   * @param device index of the one interface that it may go over; 0: any
   * @returns undefined when there is no route
   */
  pathTo(destination: IpAddress, source: IpAddress | undefined, protocol: number, device = 0): RoutedPath | undefined {
    if (device !== 0) return this.#pathOver(device, destination, source, protocol);
    const ttl = this.#sysctl.ip_default_ttl;
    if (this.isLocal(destination)) {
      const loopback = destination.family === 4 ? IPV4_LOOPBACK : IPV6_LOOPBACK;
      const from = source ?? (destination.isLoopback ? loopback : destination);
      return this.#path(this.#lo(), from, destination, protocol, ttl);
    }
    const route = this.routeTo(destination);
    if (route === undefined || route.rejection !== undefined) {
      this.ipCounters.OutNoRoutes++;
      return undefined;
    }
    const from = source ?? sourceAddress(route, destination, this.interfaces);
    if (from === undefined || from.isLoopback) return undefined;
    const path = this.#path(route.interface, from, destination, protocol, ttl, route.gateway);
    path.relabel();
    return path;
  }

  /** The route to an address of another host; a link-local one is on the link that its zone names. */
  routeTo(destination: IpAddress, avoid?: Interface): Route | undefined {
    if (!destination.isLinkLocal) return this.routes.lookup(destination, avoid);
    const over = this.interfaces.find(({ index }) => index === destination.zone);
    if (over === undefined || over.isClosed || over === avoid) return undefined;
    return { destination, bits: 128, interface: over };
  }

  /** Which of our addresses to answer from when what came was for none of them: for many, or for another host. */
  addressTowards(over: Interface, remote: IpAddress): IpAddress | undefined {
    return sourceAddress({ destination: remote, bits: 0, interface: over }, remote, this.interfaces);
  }

  /** SO_BINDTODEVICE: of the host's own addresses only those of that interface are there, unless it is the loopback. */
  #pathOver(device: number, destination: IpAddress, source: IpAddress | undefined, protocol: number) {
    if (this.isLocal(destination)) {
      const reached = device === LOOPBACK_INDEX || deviceOf(this, destination) === device;
      return reached ? this.pathTo(destination, source, protocol) : undefined;
    }
    const toMany = destination.isMulticast || this.isBroadcast(destination);
    const over =
      device === LOOPBACK_INDEX && toMany
        ? this.#lo()
        : this.interfaces.find(({ index, isClosed }) => index === device && !isClosed);
    if (over === undefined) return undefined;
    // Linux: what no route of the device leads to is taken to be on its link, for IPv4.
    const onLink: Route | undefined =
      destination.family === 4 || destination.zone === device ? { destination, bits: 32, interface: over } : undefined;
    const route = this.routes.lookup(destination, undefined, over) ?? onLink;
    const from = source ?? (route === undefined ? undefined : sourceAddress(route, destination, this.interfaces));
    if (route === undefined || from === undefined || (from.isLoopback && device !== LOOPBACK_INDEX)) return undefined;
    const path = this.#path(over, from, destination, protocol, this.#sysctl.ip_default_ttl, route.gateway);
    path.relabel();
    return path;
  }

  /** The way back out of the interface that a packet came in on. */
  pathBack(from: Interface, local: IpAddress, remote: IpAddress, protocol: number): RoutedPath {
    const egress = from === this.#loopbackIn ? this.#lo() : from;
    // A neighbour is answered directly, others through the gateway, if the route goes that way.
    const route = egress === from ? this.routeTo(remote) : undefined;
    const gateway = route?.interface === egress ? route.gateway : undefined;
    return this.#path(egress, local, remote, protocol, this.#sysctl.ip_default_ttl, gateway);
  }

  #path(
    egress: Interface,
    source: IpAddress,
    destination: IpAddress,
    protocol: number,
    ttl: number,
    gateway?: IpAddress,
  ): RoutedPath {
    return new RoutedPath(this, egress, source, destination, protocol, ttl, gateway);
  }

  /** Nothing is answered on this path. When that is because its link is down, another that is up may serve; undefined: stay. */
  otherPath(path: RoutedPath): RoutedPath | undefined {
    const { egress, source, destination, protocol, ttl, tos, discovery } = path;
    if (!(egress instanceof Interface) || egress.isUp) return undefined;
    // Who can be anybody is that on his own link alone.
    if (egress.acceptAny && !this.isLocal(source)) return undefined;
    const route = this.routeTo(destination, egress);
    if (route === undefined || route.rejection !== undefined || !route.interface.isUp) return undefined;
    const other = this.#path(route.interface, source, destination, protocol, ttl, route.gateway);
    other.tos = tos;
    other.discovery = discovery;
    other.flowLabel = path.flowLabel;
    return other;
  }

  /** Every interface may again send what one flush allows it. */
  beginFlush(): void {
    for (let i = 0; i < this.interfaces.length; i++) (this.interfaces[i] as Interface).beginFlush();
    this.#loopback?.beginFlush();
  }

  /** Hands what is in the interfaces' batches to their links. */
  flush(): void {
    for (let i = 0; i < this.interfaces.length; i++) (this.interfaces[i] as Interface).flush();
    this.#loopback?.flush();
  }

  /** Whether any link could be asked for what has come (`Link.receiveNow`). */
  receiveNow(): boolean {
    let asked = false;
    for (const { link } of this.interfaces) asked = link.receiveNow?.() === true || asked;
    return asked;
  }

  close(): void {
    this.mtus.clear();
    for (const each of this.interfaces) each.close();
    this.#loopback?.close();
    this.#loopbackIn?.close();
  }

  /** The loopback is made when something first goes there. */
  #lo(): Interface {
    if (this.#loopback === undefined) {
      const [out, back] = createPipe({ mtu: 65_535, names: ['lo', 'lo'] });
      this.#loopback = new Interface(this.#owner, out, 'lo', LOOPBACK_INDEX, [
        { address: IPV4_LOOPBACK, bits: 8 },
        { address: IPV6_LOOPBACK, bits: 128 },
      ]);
      this.#loopbackIn = new Interface(this.#owner, back, 'lo', LOOPBACK_INDEX, []);
    }
    return this.#loopback;
  }
}

function isLoopbackWords(family: 4 | 6, w0: number, w1: number, w2: number, w3: number): boolean {
  return family === 4 ? w3 >>> 24 === 127 : w3 === 1 && w2 === 0 && w1 === 0 && w0 === 0;
}

/** RFC 4291 2.8: the multicast addresses that a host hears: all nodes of the interface and the link, and those asked for its own addresses. */
function isJoined(from: Interface, { d0, d1, d2, d3 }: InboundPacket): boolean {
  const group = d0 >>> 16;
  if (d1 !== 0 || (group !== 0xff01 && group !== 0xff02)) return false;
  if (d2 === 0 && d3 === 1) return true;
  if (group !== 0xff02 || d2 !== 1 || d3 >>> 24 !== 0xff) return false;
  return from.addresses.some(({ address: { family, w3 } }) => family === 6 && (w3 ^ d3) << 8 === 0);
}

/** RFC 4291 2.5.6, appendix A: from the hardware address, or at random when there is none. */
function linkLocalAddress(hardware: Uint8Array | undefined, random: Random): IpAddress {
  if (hardware?.length !== 6) return IpAddress.v6(LINK_LOCAL, 0, random.uint32(), random.uint32());
  const [a, b, c, d, e, f] = hardware as unknown as [number, number, number, number, number, number];
  return IpAddress.v6(
    LINK_LOCAL,
    0,
    ((a ^ 2) << 24) | (b << 16) | (c << 8) | 0xff,
    0xfe000000 | (d << 16) | (e << 8) | f,
  );
}
