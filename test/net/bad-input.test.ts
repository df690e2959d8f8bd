/** Every call with what it cannot take: it says so with a class of error that is documented, and nothing is left of it. */
import { expect } from 'chai';
import { Buffers } from '../../src/net/buffers.ts';
import { AddrError, DNSError, ParseError, UnknownNetworkError } from '../../src/net/errors.ts';
import { joinHostPort, splitHostPort } from '../../src/net/host-port.ts';
import { parseCIDR } from '../../src/net/ip-net.ts';
import { OpError } from '../../src/net/op-error.ts';
import { pipe } from '../../src/net/pipe.ts';
import { lookupPort } from '../../src/net/ports.ts';
import { resolveTCPAddr } from '../../src/net/resolve.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import { resolveUDPAddr, UDPAddr } from '../../src/net/udp-addr.ts';
import { connectedHosts, type Pair } from '../support/pair.ts';

type Kind = abstract new (...args: never[]) => Error;

/** What is no text, no number, no object that anybody asks for. */
const NOTHING = [undefined, null, 5, 'x', {}, [], () => {}, Number.NaN] as never[];
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
      const text = `${String(call)} with ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`;
      expect(error, text).to.be.instanceOf(Error);
      expect(
        kinds.some((kind) => error instanceof kind),
        `${text}: ${error}`,
      ).to.equal(true);
      expect((error as Error).message, text)
        .to.match(/\S{3}/)
        .and.not.match(/undefined is not|not a function|Cannot read/);
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
      await refused(noDeadline, (at) => conn.setDeadline(at), TypeError);
      await refused(noDeadline, (at) => conn.setReadDeadline(at), TypeError);
      await refused(noDeadline, (at) => conn.setWriteDeadline(at), TypeError);
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

  it('addresses', async () => {
    const { client } = pair;
    await refused(
      [undefined, null, 5.5, -1, 65_536, '80', Number.NaN] as never[],
      (port) => new TCPAddr('10.9.0.1', port),
      RangeError,
    );
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
