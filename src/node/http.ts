/** Node's http over a host: a server fed from a listener, a client that dials. */
import { Agent, type AgentOptions, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { checkKind } from '../arguments.ts';

import type { Host } from '../host.ts';
import { joinHostPort } from '../net/host-port.ts';
import type { TCPListener } from '../net/tcp-listener.ts';
import { type ConnDuplex, duplex } from './duplex.ts';

/** A server at work on a listener. */
export interface HttpService {
  /** Settles when the listener ended: fulfilled when somebody closed it, rejected with the error that ended it. */
  readonly ended: Promise<void>;
  /**
   * Accepts no more, ends idle connections, lets requests finish, and settles when the last connection is closed.
   * `server.closeAllConnections()` hurries it.
   */
  close(): Promise<void>;
}

/**
 * Hands each connection that the listener accepts to `server`, which must not listen itself.
 * `server.close()` closes the listener too (Node gives its callback ERR_SERVER_NOT_RUNNING: await `close()` of the service).
 */
export function serveHttp(listener: TCPListener, server: Server): HttpService {
  checkKind('serveHttp: the listener', listener, 'a listener of a host', 'accept');
  checkKind('serveHttp: the server', server, 'an http.Server', 'on');
  const live = new Live();
  const stop = () => {
    live.closing = true;
    listener[Symbol.dispose]();
  };
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    live.began(socket);
    response.once('close', () => live.finished(socket));
  });
  server.once('close', stop);
  // Node starts looking after requests that take too long when its server listens.
  server.emit('listening');
  const ended = acceptAll(listener, (stream) => {
    live.add(stream);
    server.emit('connection', stream);
  });
  ended.catch(() => {});
  const close = async () => {
    stop();
    await live.end();
    server.close();
  };
  return { ended, close };
}

async function acceptAll(listener: TCPListener, accept: (stream: ConnDuplex) => void): Promise<void> {
  // Node's http reads requests to their end and still answers: the peer's end of stream must not end the response.
  for await (const conn of listener) accept(duplex(conn, { allowHalfOpen: true }));
}

/**
 * The open connections of a service, each with the number of requests it is about to answer. Node's own `closeIdleConnections`
 * takes a connection for idle whose answer is written but not on its way yet.
 */
class Live {
  readonly #requests = new Map<object, number>();
  readonly #streams = new Set<ConnDuplex>();
  /** Each connection ends with the request that it is at. */
  closing = false;

  add(stream: ConnDuplex): void {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
  }

  began(socket: object): void {
    this.#requests.set(socket, (this.#requests.get(socket) ?? 0) + 1);
  }

  finished(socket: { destroySoon(): void }): void {
    const left = (this.#requests.get(socket) ?? 1) - 1;
    if (left > 0) this.#requests.set(socket, left);
    else this.#requests.delete(socket);
    if (left === 0 && this.closing) socket.destroySoon();
  }

  /** Ends those that are idle, and waits for the others. */
  async end(): Promise<void> {
    const streams = [...this.#streams];
    const closed = streams.map((stream) => new Promise<void>((resolve) => stream.once('close', resolve)));
    for (const stream of streams) if (!this.#requests.has(stream)) stream.destroy();
    await Promise.all(closed);
  }
}

/** Of what http hands to `createConnection`, what is used here. */
export interface ConnectOptions {
  readonly host?: string | null | undefined;
  readonly hostname?: string | null | undefined;
  readonly port?: string | number | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** For the `createConnection` option of http.request: dials on `host` and gives the duplex at once. */
export function connectFunction(host: Host): (options: ConnectOptions) => ConnDuplex {
  return ({ host: name, hostname, port, signal }) => {
    // Destroying the stream must end the dial.
    const controller = new AbortController();
    const signals = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
    const dialled = host.dial('tcp', joinHostPort(name ?? hostname ?? 'localhost', port ?? 80), { signal: signals });
    const stream = duplex(dialled);
    stream.once('close', () => controller.abort());
    return stream;
  };
}

/** An http.Agent whose connections are dialled on `host`; options as for http.Agent. */
export function httpAgent(host: Host, options?: AgentOptions): Agent {
  checkKind('httpAgent: the host', host, 'a host', 'dial');
  const agent = new Agent(options);
  Object.assign(agent, { createConnection: connectFunction(host) });
  return agent;
}
