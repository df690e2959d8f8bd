import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { createDgram } from '../../src/node/dgram/dgram.ts';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { type Create, plays } from './dgram-plays.ts';
import * as scenes from './dgram-scenes.ts';

const run = inNamespace(scenes);

describe('node/dgram', () => {
  let host: Host;
  beforeEach(() => {
    host = createHost();
  });
  afterEach(() => host.close());

  it('a host that closes closes its sockets', async () => {
    const socket = createDgram(host).createSocket('udp4');
    socket.bind(53);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.once('listening', () => void host.close());
    await closed;
  });

  it('a closed socket lets go of its host and its signal', async () => {
    const { signal } = new AbortController();
    const open = host.open.size;
    const socket = createDgram(host).createSocket({ type: 'udp4', signal });
    expect([host.open.size - open, getEventListeners(signal, 'abort').length]).to.deep.equal([1, 1]);
    await new Promise<void>((resolve) => socket.close(resolve));
    expect([host.open.size - open, getEventListeners(signal, 'abort').length]).to.deep.equal([0, 0]);
  });

  it('a port may be a text; what is no port is told', async () => {
    const socket = createDgram(host).createSocket('udp4');
    for (const port of ['x', -1, 65_536, true, Symbol('port')])
      expect(() => socket.bind(port as never))
        .to.throw(RangeError, 'Port should be')
        .with.property('code', 'ERR_SOCKET_BAD_PORT');
    socket.bind('53' as never);
    await new Promise((resolve) => socket.once('listening', resolve));
    expect(socket.address().port).to.equal(53);
    socket.close();
  });

  it("names are the host's to look up", async () => {
    const socket = createDgram(host).createSocket('udp4');
    socket.bind(53, 'localhost');
    await new Promise((resolve) => socket.once('listening', resolve));
    expect(socket.address()).to.deep.equal({ address: '127.0.0.1', family: 'IPv4', port: 53 });
    const error = await new Promise<Error | null>((resolve) => socket.send('x', 53, 'nohost.invalid', resolve));
    expect(error?.message).to.equal('getaddrinfo ENOTFOUND nohost.invalid');
    await socket[Symbol.asyncDispose]();
    await socket[Symbol.asyncDispose]();
  });
});

describeWithTun("node/dgram and Node's", () => {
  let theirs: Record<string, string[]>;
  before(async () => {
    theirs = await run.nodes();
  });

  for (const [name, play] of Object.entries(plays)) {
    it(`do the same: ${name}`, async () => {
      const host = createHost();
      const lines: string[] = [];
      await play(createDgram(host).createSocket as unknown as Create, (line) => lines.push(line));
      expect(lines).to.deep.equal(theirs[name]);
      expect(host.sockets()).to.deep.equal([]);
      await host.close();
    });
  }
});
