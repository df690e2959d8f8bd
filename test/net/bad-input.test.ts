/** Every call with what it cannot take: it says so with a class of error that is documented, and nothing is left of it. */
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { Buffers } from '../../src/net/buffers.ts';
import { Dialer, ListenConfig } from '../../src/net/dialer.ts';
import { AddrError, DNSError, ParseError, UnknownNetworkError } from '../../src/net/errors.ts';
import { joinHostPort, splitHostPort } from '../../src/net/host-port.ts';
import { IPAddr } from '../../src/net/ip-addr.ts';
import { cidrMask, IPMask, IPNet, parseCIDR } from '../../src/net/ip-net.ts';
import { OpError } from '../../src/net/op-error.ts';
import { pipe } from '../../src/net/pipe.ts';
import { lookupPort } from '../../src/net/ports.ts';
import { resolveTCPAddr } from '../../src/net/resolve.ts';
import { localResolver } from '../../src/net/resolver.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import { resolveUDPAddr, UDPAddr } from '../../src/net/udp-addr.ts';
import { seededRandom } from '../../src/time/random.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IpAddress, parsePrefix } from '../../src/wire/address.ts';
import { connectedHosts, type Pair } from '../support/pair.ts';

type Kind = abstract new (...args: never[]) => Error;

/** What is no text, no number, no object that anybody asks for. */
const NOTHING = [
  undefined,
  null,
  5,
  'x',
  {},
  [],
  () => {},
  Number.NaN,
  Symbol('s'),
  5n,
  Object.create(null),
  { toString: () => Symbol('no text') },
] as never[];
/** What is no bag of options, although an object, or has none that there is. */
const NO_OPTIONS = [
  null,
  5,
  'x',
  [],
  () => {},
  new Map(),
  AbortSignal.abort(),
  Promise.resolve(),
  { nosuch: 1 },
] as never[];

/** Bytes whose memory is not theirs any more. */
function givenAway(length = 8): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  giveAway(bytes);
  return bytes;
}

function giveAway({ buffer }: Uint8Array<ArrayBuffer>): void {
  structuredClone(buffer, { transfer: [buffer] });
}
const but = (...good: unknown[]) => NOTHING.filter((one) => !good.includes(one));
const noText = NOTHING.filter((one) => typeof one !== 'string');
const noOption = (name: string, values: readonly unknown[]) => values.map((value) => ({ [name]: value }) as never);
/** For options that may be left out. */
const given = NOTHING.filter((one) => one !== undefined);
const noSignal = noOption('signal', given);
const noFunction = given.filter((one) => typeof one !== 'function');
const noNumber = given.filter((one) => typeof one !== 'number' || Number.isNaN(one));
const noDeadline = but(null, 5);

describe('net, with what it cannot take', () => {
  let pair: Pair;

  beforeEach(() => {
    pair = connectedHosts();
  });

  afterEach(async () => {
    await pair.close();
    expect(pair.clock.pending.held, 'held').to.equal(0);
  });

  /** What a call fails with, thrown or as a rejection. */
  const failure = async (call: () => unknown): Promise<unknown> => {
    try {
      const result = call();
      return result instanceof Promise
        ? await pair.run(result).then(
            () => undefined,
            (error) => error,
          )
        : undefined;
    } catch (error) {
      return error;
    }
  };

  const refused = async (values: readonly never[], call: (value: never) => unknown, ...kinds: Kind[]) => {
    const before = [pair.client.sockets().length, pair.clock.pending.held];
    for (const value of values) {
      const error = await failure(() => call(value));
      const text = `${String(call)} with ${typeof value === 'object' ? Object.prototype.toString.call(value) : String(value)}`;
      expect(error, text).to.be.instanceOf(Error);
      expect(
        kinds.some((kind) => error instanceof kind),
        `${text}: ${error}`,
      ).to.equal(true);
      expect((error as Error).message, text)
        .to.match(/\S{3}/)
        .and.not.match(/undefined is not|not a function|Cannot (read|convert|destructure|mix)|is not iterable/);
    }
    expect([pair.client.sockets().length, pair.clock.pending.held]).to.deep.equal(before);
  };

  it('dial and its kin', async () => {
    const { client } = pair;
    const remote = new TCPAddr('10.9.0.2', 80);
    const to = new UDPAddr('10.9.0.2', 80);
    await refused(noText, (network) => client.dial(network, '10.9.0.2:80'), TypeError);
    await refused(noText, (address) => client.dial('tcp', address), TypeError);
    await refused(noText, (address) => client.dial('udp', address), TypeError);
    for (const dial of [
      (options: never) => client.dial('tcp', '10.9.0.2:80', options),
      (options: never) => client.dialTCP('tcp', undefined, remote, options),
    ]) {
      await refused(noSignal, dial, TypeError);
      await refused(noOption('control', noFunction), dial, TypeError);
      await refused(noOption('timeout', noNumber), dial, TypeError);
      await refused(noOption('keepAlive', noNumber), dial, TypeError);
      await refused(
        noOption('keepAliveConfig', [null, 5, 'x', { idle: 'x' }, { enable: 5 }, { count: null }]),
        dial,
        TypeError,
      );
      await refused(noOption('deadline', noDeadline.slice(1)), dial, TypeError);
    }
    const dial = (options: never) => client.dial('tcp', '10.9.0.2:80', options);
    await refused(noOption('fallbackDelay', noNumber), dial, TypeError);
    await refused(noOption('resolver', given), dial, TypeError);
    await refused(noOption('resolver', given), (options) => client.dial('udp', '10.9.0.2:80', options), TypeError);
    await refused(noOption('localAddr', given), dial, OpError);
    await refused(noOption('localAddr', given), (options) => client.dial('udp', '10.9.0.2:80', options), OpError);
    await refused(given, (local) => client.dialTCP('tcp', local, remote), TypeError);
    await refused(given, (other) => client.dialTCP('tcp', undefined, other), TypeError);
    await refused(given, (local) => client.dialUDP('udp', local, to), TypeError);
    await refused(noSignal, (options) => client.dialUDP('udp', undefined, to, options), TypeError);
    await refused(noNumber, (timeout) => client.dialTimeout('tcp', '10.9.0.2:80', timeout), TypeError);
  });

  it('listen and its kin', async () => {
    const { client } = pair;
    await refused(noText, (network) => client.listen(network, ':80'), TypeError);
    await refused(noText, (address) => client.listen('tcp', address), TypeError);
    await refused(noText, (network) => client.listenPacket(network, ':80'), TypeError);
    await refused(noText, (address) => client.listenPacket('udp', address), TypeError);
    await refused(given, (local) => client.listenTCP('tcp', local), TypeError);
    await refused(given, (local) => client.listenUDP('udp', local), TypeError);
    for (const listen of [
      (options: never) => client.listen('tcp', ':80', options),
      (options: never) => client.listenTCP('tcp', undefined, options),
      (options: never) => client.listenPacket('udp', ':80', options),
      (options: never) => client.listenUDP('udp', undefined, options),
    ]) {
      await refused(noSignal, listen, TypeError);
      await refused(noOption('control', noFunction), listen, TypeError);
    }
    const listen = (options: never) => client.listen('tcp', ':80', options);
    await refused(noOption('backlog', [null, -1, 1.5, 'x', Number.NaN]), listen, RangeError);
    await refused(noOption('keepAlive', noNumber), listen, TypeError);
  });

  it('connections', async () => {
    const { dialled, accepted, listener } = await pair.connect();
    const [one, other] = pipe({ clock: pair.clock });
    for (const conn of [dialled, one]) {
      await refused(NOTHING, (into) => conn.read(into), TypeError);
      await refused(NOTHING, (bytes) => conn.write(bytes), TypeError);
      await refused(noSignal, (options) => conn.read(new Uint8Array(1), options), TypeError);
      await refused(noSignal, (options) => conn.readChunk(options), TypeError);
      await refused(noSignal, (options) => conn.write(new Uint8Array(1), options), TypeError);
      for (const name of ['setDeadline', 'setReadDeadline', 'setWriteDeadline'] as const) {
        await refused(noDeadline, (at) => conn[name](at), TypeError);
        expect(() => conn[name]('soon' as never)).to.throw(
          TypeError,
          `${conn.constructor.name}.${name}: deadline must be`,
        );
      }
    }
    await refused(but(NOTHING[5]), (list) => dialled.writev(list), TypeError);
    await refused(
      [[undefined], ['x'], [new Uint8Array(1), null]] as never[],
      (list) => dialled.writev(list),
      TypeError,
    );
    await refused(but(NOTHING[5]), (source) => dialled.readFrom(source), TypeError);
    await refused(NOTHING, (sink) => dialled.writeTo(sink), TypeError);
    await refused(noSignal, (options) => dialled.readFrom([], options), TypeError);
    await refused(noSignal, (options) => dialled.writeTo(accepted, options), TypeError);
    await refused(but(5), (seconds) => dialled.setLinger(seconds), TypeError);
    await refused(but(5), (bytes) => dialled.setReadBuffer(bytes), TypeError);
    await refused(but(5), (bytes) => dialled.setWriteBuffer(bytes), TypeError);
    await refused(but(5), (ms) => dialled.setKeepAlivePeriod(ms), TypeError);
    await refused(
      [undefined, null, 5, 'x', { idle: 'x' }] as never[],
      (config) => dialled.setKeepAliveConfig(config),
      TypeError,
    );
    await refused(noSignal, (options) => listener.accept(options), TypeError);
    await refused(noDeadline, (at) => listener.setDeadline(at), TypeError);
    other.close();
    // None of it has done the connection any harm.
    expect(await pair.run(dialled.write(new Uint8Array(3)))).to.equal(3);
    expect(await pair.run(accepted.read(new Uint8Array(9)))).to.equal(3);
  });

  it('connections of UDP', async () => {
    const conn = await pair.client.listenPacket('udp', ':0');
    await refused(NOTHING, (into) => conn.read(into), TypeError);
    await refused(NOTHING, (into) => conn.readFrom(into), TypeError);
    await refused(NOTHING, (bytes) => conn.writeTo(bytes, new UDPAddr('10.9.0.2', 1)), TypeError);
    await refused(NOTHING, (addr) => conn.writeTo(new Uint8Array(1), addr), TypeError);
    await refused(noSignal, (options) => conn.readDatagram(options), TypeError);
    await refused(
      noSignal,
      (options) => conn.writeTo(new Uint8Array(1), new UDPAddr('10.9.0.2', 1), options),
      TypeError,
    );
    await refused(noDeadline, (at) => conn.setDeadline(at), TypeError);
    await refused(but(5), (bytes) => conn.setReadBuffer(bytes), TypeError);
  });

  it('options that are none, and names of options that do not exist', async () => {
    const { client, clock } = pair;
    const { dialled, accepted, listener } = await pair.connect();
    const packets = await client.listenPacket('udp', ':0');
    const [one] = pipe({ clock });
    const [remote, to, bytes] = [new TCPAddr('10.9.0.2', 80), new UDPAddr('10.9.0.2', 80), new Uint8Array(1)];
    const calls: ((options: never) => unknown)[] = [
      (options) => createHost(options),
      (options) => createHost({ links: [options] }),
      (options) => client.dial('tcp', '10.9.0.2:80', options),
      (options) => client.dial('udp', '10.9.0.2:80', options),
      (options) => client.dialTCP('tcp', undefined, remote, options),
      (options) => client.dialUDP('udp', undefined, to, options),
      (options) => client.listen('tcp', ':80', options),
      (options) => client.listenTCP('tcp', undefined, options),
      (options) => client.listenPacket('udp', ':80', options),
      (options) => client.listenUDP('udp', undefined, options),
      (options) => client.lookupHost('localhost', options),
      (options) => client.resolveTCPAddr('tcp', 'localhost:80', options),
      (options) => client.resolveUDPAddr('udp', 'localhost:80', options),
      (options) => resolveTCPAddr('tcp', 'localhost:80', options),
      (options) => resolveUDPAddr('udp', 'localhost:80', options),
      (options) => client.dns.lookupHost('localhost', options),
      (options) => client.dns.lookupIPAddr('localhost', options),
      (options) => client.dns.lookupCNAME('localhost', options),
      (options) => client.dns.lookupMX('localhost', options),
      (options) => client.dns.lookupNS('localhost', options),
      (options) => client.dns.lookupTXT('localhost', options),
      (options) => client.dns.lookupSRV('http', 'tcp', 'localhost', options),
      (options) => client.dns.lookupAddr('127.0.0.1', options),
      (options) => localResolver.lookupHost('localhost', options),
      (options) => client.forward(() => {}, options),
      (options) => client.addRoute(options),
      (options) => client.removeRoute(options),
      (options) => client.close(options),
      (options) => new Dialer(client, options),
      (options) => new Dialer(client).dial('tcp', '10.9.0.2:80', options),
      (options) => new ListenConfig(client, options),
      (options) => new ListenConfig(client).listen('tcp', ':80', options),
      (options) => new ListenConfig(client).listenPacket('udp', ':80', options),
      (options) => listener.accept(options),
      (options) => dialled.read(bytes, options),
      (options) => dialled.readChunk(options),
      (options) => dialled.write(bytes, options),
      (options) => dialled.writev([bytes], options),
      (options) => dialled.readFrom([bytes], options),
      (options) => dialled.writeTo(accepted, options),
      (options) => dialled.setKeepAliveConfig(options),
      (options) => packets.read(bytes, options),
      (options) => packets.readFrom(bytes, options),
      (options) => packets.readDatagram(options),
      (options) => packets.writeTo(bytes, to, options),
      (options) => pipe(options),
      (options) => one.read(bytes, options),
      (options) => one.readChunk(options),
      (options) => one.write(bytes, options),
      (options) => new Buffers([bytes]).writeTo(dialled, options),
      (options) => new VirtualClock(options),
      (options) => new VirtualClock().run(options),
    ];
    for (const call of calls) await refused(NO_OPTIONS, call, TypeError);
    expect(client.sockets().length).to.equal(2);
  });

  it('a signal, or a network, of a lookup', async () => {
    const { client } = pair;
    await refused(noSignal, (options) => client.lookupHost('localhost', options), TypeError);
    await refused(noSignal, (options) => client.dns.lookupTXT('localhost', options), TypeError);
    await refused(noSignal, (options) => client.resolveTCPAddr('tcp', 'localhost:80', options), TypeError);
    await refused(noSignal, (options) => resolveUDPAddr('udp', 'localhost:80', options), TypeError);
    await refused(noOption('resolver', given), (options) => resolveTCPAddr('tcp', 'a:80', options), TypeError);
    const networks = noOption('network', ['tcp', 'ip5', null, 4, Symbol('s')]);
    await refused(networks, (options) => client.lookupHost('localhost', options), UnknownNetworkError);
    for (const at of [0, 1, 2]) {
      const named = (value: never) => ['http', 'tcp', 'localhost'].map((text, i) => (i === at ? value : text));
      await refused(noText, (value) => client.dns.lookupSRV(...(named(value) as [string, string, string])), TypeError);
    }
  });

  it('a time that is over since ever ends a dial at once', async () => {
    for (const limit of [{ timeout: -Infinity }, { deadline: -Infinity }, { timeout: -1 }]) {
      for (const network of ['tcp', 'udp']) {
        const error = await failure(() => pair.client.dial(network, 'localhost:80', limit));
        expect(error, network).to.be.instanceOf(OpError);
        expect((error as OpError).timeout, `${network}: ${error}`).to.equal(true);
      }
    }
  });

  it('memory that was given away', async () => {
    const { dialled } = await pair.connect();
    const packets = await pair.client.listenPacket('udp', ':0');
    const [one] = pipe({ clock: pair.clock });
    const bytes = [givenAway()] as never[];
    await refused(bytes, (into) => dialled.read(into), TypeError);
    await refused(bytes, (from) => dialled.write(from), TypeError);
    await refused(bytes, (from) => dialled.writev([new Uint8Array(1), from]), TypeError);
    await refused(bytes, (into) => packets.readFrom(into), TypeError);
    await refused(bytes, (from) => packets.writeTo(from, new UDPAddr('10.9.0.2', 9)), TypeError);
    await refused(bytes, (into) => one.read(into), TypeError);
    await refused(bytes, (from) => one.write(from), TypeError);
    await refused(bytes, (into) => new Buffers([new Uint8Array(1)]).read(into), TypeError);
  });

  it('memory that is given away while a read waits for it: no end of the stream, and no byte is lost', async () => {
    const { dialled, accepted } = await pair.connect();
    const into = new Uint8Array(8);
    const reading = dialled.read(into).catch((error: unknown) => error);
    giveAway(into);
    await pair.run(accepted.write(new Uint8Array([7])));
    const error = (await pair.run(reading)) as OpError;
    expect(error.message).to.match(/^read tcp .*: the buffer was transferred or emptied while the read waited$/);
    expect(await pair.run(dialled.read(new Uint8Array(8)))).to.equal(1);
  });

  it('memory that is given away while a write waits: it fails, and says what went out before', async () => {
    const { dialled, accepted } = await pair.connect();
    for (const send of [(bytes: Uint8Array) => dialled.write(bytes), (bytes: Uint8Array) => dialled.writev([bytes])]) {
      const bytes = new Uint8Array(20_000_000);
      const writing = send(bytes).catch((error: unknown) => error);
      giveAway(bytes);
      const reader = accepted.readable.getReader();
      const drained = (async () => {
        while (!(await reader.read()).done);
      })().catch(() => {});
      const error = (await pair.run(writing)) as OpError;
      reader.releaseLock();
      await drained;
      expect(error.message).to.match(/^writev? tcp .*: the bytes were transferred or resized while the write waited$/);
      expect(error.bytesWritten).to.be.within(1, 19_999_999);
    }
  });

  it('clocks and chance', async () => {
    for (const clock of [pair.clock, new RealClock()]) {
      await refused(
        NOTHING.filter((one) => typeof one !== 'function'),
        (call) => clock.timer(call),
        TypeError,
      );
      await refused(
        NOTHING.filter((one) => typeof one !== 'function'),
        (call) => clock.defer(call),
        TypeError,
      );
      await refused(
        [undefined, null, '5', Number.NaN, 5n] as never[],
        (at) => clock.timer(() => {}).set(at),
        RangeError,
      );
    }
    await refused(
      [null, '5', -1, Number.NaN, Infinity, true, new Date()] as never[],
      (ms) => pair.clock.advance(ms),
      RangeError,
    );
    await refused(noOption('limit', [null, '5', -1, Number.NaN]), (options) => pair.clock.run(options), RangeError);
    await refused(noOption('until', [null, 5, {}]), (options) => pair.clock.run(options), TypeError);
    await refused([undefined, null, {}, [1], 5n] as never[], (seed) => seededRandom(seed), TypeError);
  });

  it('addresses', async () => {
    const { client } = pair;
    await refused(
      [undefined, null, 5.5, -1, 65_536, '80', Number.NaN] as never[],
      (port) => new TCPAddr('10.9.0.1', port),
      RangeError,
    );
    await refused([null, 5, {}, []] as never[], (ip) => new TCPAddr(ip, 80), TypeError);
    await refused([null, 5, {}] as never[], (zone) => new UDPAddr('fe80::1', 80, zone), TypeError);
    await refused(NOTHING, (ip) => new IPAddr(ip), TypeError);
    await refused(NOTHING, (ip) => new IPNet(ip, cidrMask(8, 32)), TypeError);
    await refused(NOTHING, (ip) => parseCIDR('10.0.0.0/8').net.contains(ip), TypeError);
    await refused(
      [undefined, null, 5, {}, [256], [-1], ['x'], [1.5]] as never[],
      (mask) => new IPMask(mask),
      TypeError,
    );
    await refused([undefined, null, {}, Symbol('s'), 5n] as never[], (port) => joinHostPort('h', port), TypeError);
    expect([
      new TCPAddr('10.9.0.1', 80).equals(undefined as never),
      IpAddress.parse(5 as never),
      parsePrefix(5 as never),
    ]).to.deep.equal([false, undefined, undefined]);
    await refused(['', 'x', '10.9.0', '::1%lo', '10.9.0.1:80'] as never[], (ip) => new TCPAddr(ip, 80), ParseError);
    await refused(noText, (text) => splitHostPort(text), TypeError);
    await refused(noText, (text) => parseCIDR(text), ParseError);
    await refused(noText, (host) => joinHostPort(host, 80), TypeError);
    await refused(noText, (service) => lookupPort('tcp', service), TypeError);
    await refused(noText, (network) => lookupPort(network, 'http'), TypeError);
    await refused(noText, (address) => resolveTCPAddr('tcp', address), TypeError);
    await refused(noText, (network) => resolveTCPAddr(network, ':80'), TypeError);
    await refused(noText, (address) => resolveUDPAddr('udp', address), TypeError);
    await refused(noText, (address) => client.resolveTCPAddr('tcp', address), TypeError);
    await refused(['foo', 'udp', 'TCP'] as never[], (network) => resolveTCPAddr(network, ':80'), UnknownNetworkError);
    await refused(
      ['10.9.0.1', ':65536', 'nohost:80', ':nosuch', '[::1'] as never[],
      (address) => resolveTCPAddr('tcp', address),
      AddrError,
      DNSError,
    );
    await refused(noText, (name) => client.lookupHost(name), TypeError);
    await refused(noText, (name) => client.dns.lookupIPAddr(name), TypeError);
    await refused(['x', 5, [new Uint8Array(1), 'x'], [null]] as never[], (list) => new Buffers(list), TypeError);
  });
});
