/** Node's http over a host: a server fed from a listener, a client that dials. */
import { Agent, type AgentOptions, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
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
 * Hands each connection that the listener accepts to `server` (of node:http, or https), which must not listen itself.
 * `server.close()` closes the listener too (Node gives its callback ERR_SERVER_NOT_RUNNING: await `close()` of the service).
 */
export function serveHttp(listener: TCPListener, server: Server): HttpService {
  const live = new Set<ConnDuplex>();
  let closing = false;
  const stop = () => {
    closing = true;
    listener[Symbol.dispose]();
  };
  const answered = () => {
    if (closing) server.closeIdleConnections();
  };
  const accept = (stream: ConnDuplex) => {
    live.add(stream);
    stream.once('close', () => live.delete(stream));
    server.emit('connection', stream);
  };
  server.on('request', (_request: IncomingMessage, response: ServerResponse) => {
    // A kept connection is idle only after the response has let go of it.
    response.once('close', () => setImmediate(answered));
  });
  server.once('close', stop);
  // Node starts looking after requests that take too long when its server listens.
  server.emit('listening');
  const ended = acceptAll(listener, accept);
  ended.catch(() => {});
  return { ended, close: () => closeService(stop, server, live) };
}

async function acceptAll(listener: TCPListener, accept: (stream: ConnDuplex) => void): Promise<void> {
  // Node's http reads requests to their end and still answers: the peer's end of stream must not end the response.
  for await (const conn of listener) accept(duplex(conn, { allowHalfOpen: true }));
}

async function closeService(stop: () => void, server: Server, live: ReadonlySet<ConnDuplex>): Promise<void> {
  stop();
  server.close();
  await Promise.all([...live].map((stream) => new Promise<void>((resolve) => stream.once('close', resolve))));
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
  const agent = new Agent(options);
  Object.assign(agent, { createConnection: connectFunction(host) });
  return agent;
}
