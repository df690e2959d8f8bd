/** Of register-scenes.ts: what Node's tls and http2 do with the sockets under them. */
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { certificate, key } from '../support/certificate.ts';
import { listening, type Scene, textOf, until } from './register-tools.ts';

const codeOf = (error: unknown) => (error as { code?: string }).code;

/** A stream of somebody's own over a TLS socket, as proxies have it. */
class Tunnel extends Duplex {
  readonly #socket: tls.TLSSocket;

  constructor(socket: tls.TLSSocket) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes) => this.push(bytes)).on('close', () => this.destroy());
  }

  override _read() {}

  override _write(bytes: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void) {
    this.#socket.write(bytes, encoding, done);
  }
}

export const tlsScenes: Record<string, Scene> = {
  /** The connection under an http2 session is destroyed in the midst of a request. */
  async http2Tunnel() {
    const server = http2.createSecureServer({ cert: certificate, key });
    const port = await listening(server as unknown as net.Server);
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    await until(socket, 'secureConnect');
    const tunnel = new Tunnel(socket);
    const client = http2.connect(`https://localhost:${port}`, { createConnection: () => tunnel });
    const request = client.request();
    server.on('request', () => socket.destroy());
    const seen: unknown[] = [];
    request.on('error', (error) => seen.push(codeOf(error)));
    await new Promise((resolve) => request.once('close', resolve));
    client.close();
    server.close();
    return seen;
  },

  /** What was said before a stream or a session was destroyed arrives. */
  async http2LastWords() {
    const server = http2.createServer();
    server.on('session', (session) => session.on('error', () => {}));
    server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
      stream.on('error', () => {});
      stream.resume().once('end', () => {
        if (headers[':path'] === '/session')
          return stream.session?.destroy(new Error('enough'), http2.constants.NGHTTP2_REFUSED_STREAM);
        stream.respond({ ':status': 418 });
        stream.write('short and stout');
        stream.destroy();
      });
    });
    const port = await listening(server as unknown as net.Server);
    const client = http2.connect(`http://localhost:${port}`);
    const seen: unknown[] = [];
    client.on('error', (error) => seen.push(error.message));
    for (const path of ['/stream', '/session']) {
      const request = client.request({ ':method': 'POST', ':path': path });
      request
        .on('response', (headers) => seen.push(headers[':status']))
        .on('error', (error) => seen.push(error.message));
      request.resume().end();
      await new Promise((resolve) => request.once('close', resolve));
      seen.push(request.rstCode);
    }
    await new Promise((resolve) => server.close(resolve));
    return seen;
  },

  /** A TLS socket that is given no stream, and one that reads into a buffer. */
  async tlsAlone() {
    const server = tls.createServer({ cert: certificate, key }, (socket) => socket.pipe(socket));
    const port = await listening(server);
    const alone = new tls.TLSSocket(null as unknown as net.Socket, { ca: [certificate] });
    const before = [alone.connecting, alone.pending, alone.address()];
    alone.connect(port, '127.0.0.1', () => alone.end('alone'));
    const text = await textOf(alone);
    const buffer = Buffer.alloc(4);
    const pieces: string[] = [];
    const callback = (count: number) => pieces.push(buffer.toString('latin1', 0, count)) > 0;
    const onread = { buffer, callback };
    const reading = tls.connect({ port, rejectUnauthorized: false, onread } as tls.ConnectionOptions);
    reading.end('over tls');
    await until(reading, 'close');
    await new Promise((resolve) => server.close(resolve));
    return { before, text, pieces };
  },

  /** What a TLS socket tells of its connection. */
  async tlsEvents() {
    const server = tls.createServer({ cert: certificate, key }, (socket) => socket.end().resume());
    const port = await listening(server);
    const lookup = ((_name: string, _options: unknown, done: (error: null, list: unknown) => void) =>
      process.nextTick(done, null, [{ address: '127.0.0.1', family: 4 }])) as unknown as net.LookupFunction;
    const seen: unknown[] = [];
    const watched = (socket: tls.TLSSocket) => {
      for (const name of ['lookup', 'connectionAttempt', 'connect', 'ready', 'secureConnect', 'end', 'close'])
        socket.on(name, (first) => seen.push(name, typeof first === 'boolean' ? first : typeof first));
      return socket.resume();
    };
    const socket = watched(tls.connect({ port, host: 'some.test', ca: certificate, lookup } as tls.ConnectionOptions));
    await until(socket, 'secureConnect');
    const { address, family } = socket.address() as AddressInfo;
    seen.push(address, family, socket.remoteAddress, socket.remotePort === port);
    await until(socket, 'close');
    await new Promise((resolve) => server.close(resolve));
    const nobody = watched(tls.connect({ port, host: '127.0.0.1' }));
    nobody.on('error', (error) => seen.push(codeOf(error), (error as { port?: number }).port === port));
    await new Promise((resolve) => nobody.once('close', resolve));
    return seen;
  },

  /** The socket under a TLS socket takes that with it. */
  async tlsUnder() {
    const secure = tls.createServer({ cert: certificate, key });
    const server = net.createServer((plain) => secure.emit('connection', plain));
    const port = await listening(server);
    const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    client.on('error', () => {});
    const [over] = await Promise.all([until(secure, 'secureConnection') as Promise<tls.TLSSocket>]);
    const plain = (over as unknown as { _parent: net.Socket })._parent;
    plain.destroy();
    const destroyed = await new Promise((resolve) => plain.once('close', () => resolve(over.destroyed)));
    client.destroy();
    server.close();
    return destroyed;
  },

  /** The end of the peer is not ours. */
  async tlsHalfOpen() {
    const server = tls.createServer({ cert: certificate, key, allowHalfOpen: true }, async (socket) => {
      socket.end('first');
      server.emit('late', await textOf(socket));
    });
    const port = await listening(server);
    const client = tls.connect({ port, rejectUnauthorized: false, allowHalfOpen: true } as tls.ConnectionOptions);
    const late = until(server, 'late');
    const first = until(client.setEncoding('utf8'), 'data');
    await until(client.resume(), 'end');
    setImmediate(() => client.end('late'));
    const seen = [await first, await late];
    await new Promise((resolve) => server.close(resolve));
    return seen;
  },

  /** Is left open: the program ends all the same. */
  async tlsUnref() {
    const server = tls.createServer({ cert: certificate, key }, (socket) => socket.unref());
    const client = tls.connect({ port: await listening(server), rejectUnauthorized: false });
    await Promise.all([until(client, 'secureConnect'), until(server, 'secureConnection')]);
    client.unref();
    server.unref();
    return client.readyState;
  },
};
