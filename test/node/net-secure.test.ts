/** TLS over sockets of createNet. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttpsServer, request } from 'node:https';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { createNet, type HostNet } from '../../src/node/net/net.ts';
import { secure } from '../../src/node/net/secure.ts';
import type { Socket } from '../../src/node/net/socket.ts';
import { certificate, key } from '../support/certificate.ts';
import { connectedHosts, type Pair, pattern, SERVER_ADDRESS } from '../support/pair.ts';

describe('secure', () => {
  let pair: Pair;
  let near: HostNet;
  let far: HostNet;
  let ends: Socket[];

  beforeEach(async () => {
    pair = connectedHosts();
    near = createNet(pair.client);
    far = createNet(pair.server);
    const server = far.createServer().listen(443);
    const lookup = (_name: string, _options: unknown, callback: (error: null, list: unknown[]) => void) =>
      process.nextTick(callback, null, [{ address: SERVER_ADDRESS, family: 4 }]);
    const here = near.connect({ port: 443, host: 'some.test', lookup });
    const [[there]] = await Promise.all([once(server, 'connection'), pair.run(once(here, 'connect'))]);
    ends = [here, there as Socket];
  });

  afterEach(() => pair.close());

  /** The machine's time passes for TLS, and the hosts' as long as it does. */
  async function until<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const settled = () => {
      over = true;
    };
    promise.then(settled, settled);
    while (!over) {
      await pair.clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return promise;
  }

  it('a client and a server, each with the addresses of the other, and the name that was connected to', async () => {
    const [here, there] = ends as [Socket, Socket];
    const server = secure(there, { isServer: true, cert: certificate, key });
    const client = secure(here, { ca: certificate });
    await until(once(client, 'secureConnect'));
    expect(client.authorized).to.equal(true);
    expect(client.servername).to.equal('some.test');
    expect([client.remoteAddress, client.remotePort, client.remoteFamily]).to.deep.equal(['10.9.0.2', 443, 'IPv4']);
    expect([server.remoteAddress, server.localPort]).to.deep.equal(['::ffff:10.9.0.1', 443]);
    expect(server.address()).to.deep.equal(there.address());
    for (const made of [client.setNoDelay(), client.setKeepAlive(true, 1000), client.ref(), client.unref()])
      expect(made).to.equal(client);
    const bytes = Buffer.from(pattern(300_000));
    server.end(bytes);
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    await until(once(client, 'end'));
    expect(Buffer.compare(Buffer.concat(chunks), bytes)).to.equal(0);
    await until(Promise.all([here, there].map((one) => one.closed || once(one, 'close'))));
  });

  it('a certificate that nobody vouches for is an error', async () => {
    const [here, there] = ends as [Socket, Socket];
    secure(there, { isServer: true, cert: certificate, key }).on('error', () => {});
    const [error] = await until(once(secure(here), 'error'));
    expect(error).to.include({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  for (const first of [0, 1]) {
    it(`the end comes as an end on both sides when the ${first === 0 ? 'client' : 'server'} begins`, async () => {
      const [here, there] = ends as [Socket, Socket];
      const server = secure(there, { isServer: true, cert: certificate, key });
      const client = secure(here, { ca: certificate });
      await until(once(client, 'secureConnect'));
      const both = [client, server] as const;
      const errors: Error[] = [];
      for (const one of [...both, ...ends]) one.on('error', (error) => errors.push(error));
      const closed = Promise.all([...both, ...ends].map((one) => once(one, 'close')));
      for (const one of both) one.resume();
      both[first]?.end('bye');
      await until(closed);
      expect(errors).to.deep.equal([]);
    });
  }

  it("https over it: Node's client, and its server", async () => {
    const [here, there] = ends as [Socket, Socket];
    const https = createHttpsServer({ cert: certificate, key }, (incoming, response) =>
      response.end(`${incoming.url} from ${incoming.socket.remoteAddress}`),
    );
    https.emit('secureConnection', secure(there, { isServer: true, cert: certificate, key }));
    const createConnection = () => secure(here, { ca: certificate }) as Duplex;
    const outgoing = request({ path: '/x', host: 'some.test', createConnection }).end();
    const [response] = (await until(once(outgoing, 'response'))) as [IncomingMessage];
    const [text] = await until(once(response.setEncoding('utf8'), 'data'));
    expect(text).to.equal('/x from ::ffff:10.9.0.1');
    outgoing.destroy();
    await until(Promise.all(ends.map((one) => one.closed || once(one, 'close'))));
  });

  it('a tls.Server takes connections as they are', async () => {
    const [here, there] = ends as [Socket, Socket];
    const server = createTlsServer({ cert: certificate, key });
    server.emit('connection', there);
    const client = secure(here, { ca: certificate, servername: 'some.test' });
    const [accepted] = (await until(once(server, 'secureConnection'))) as [TLSSocket];
    accepted.end('hello');
    const closed = once(client, 'close');
    const [bytes] = await until(once(client, 'data'));
    expect(`${bytes}`).to.equal('hello');
    await until(closed);
  });
});
