/**
 * Puts the net module of a host in the place of Node's own, for a whole program: what uses `node:net` (http, https, http2, tls, fetch, and packages) then
 * runs over the host. What is no TCP stays Node's: paths, pipes, stdio, child processes.
 */

import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Host } from '../../host.ts';
import { machineNet, machineTls } from '../net/machine.ts';
import { createNet, type HostNet } from '../net/net.ts';
import { type SecureOptions, secure } from '../net/secure.ts';
import type { SocketOptions } from '../net/socket-options.ts';
import { askUnder } from './wrapped.ts';

// The modules' own objects: what is written there is what `require` gives.
const require = createRequire(import.meta.url);
type Exports = Record<string, unknown>;

/** The names of `node:net` that are ours from then on; the others are Node's in both. */
const REPLACED = [
  'Socket',
  'Stream',
  'Server',
  'createServer',
  'connect',
  'createConnection',
  'getDefaultAutoSelectFamily',
  'setDefaultAutoSelectFamily',
  'getDefaultAutoSelectFamilyAttemptTimeout',
  'setDefaultAutoSelectFamilyAttemptTimeout',
] as const;

/** Modules that keep what they found in `node:net` when they were loaded. */
const LOADED_AFTER = ['http', 'https', '_http_agent', '_http_server'];

/** @throws Error when http was loaded before: its servers would stay where they were */
export function redirect(host: Host): HostNet {
  const loaded = (process as unknown as { moduleLoadList: string[] }).moduleLoadList;
  const early = LOADED_AFTER.find((name) => loaded.includes(`NativeModule ${name}`));
  if (early !== undefined)
    throw new Error(`tunstack/register: ${early} was loaded before it: name tunstack/register as the first --import`);
  const ours = createNet(host);
  const net = require('node:net') as Exports;
  for (const name of REPLACED) net[name] = ours[name];
  net['createServer'] = (...args: Parameters<HostNet['createServer']>) =>
    isForCluster() ? machineNet.createServer(...(args as [never])) : ours.createServer(...args);
  redirectTls(ours);
  syncBuiltinESMExports();
  return ours;
}

/** A primary of `cluster` listens for its workers, which are the machine's, with a server that nobody sees. */
function isForCluster(): boolean {
  return /\bnode:internal\/cluster\//.test(new Error('who calls').stack ?? '');
}

function redirectTls(ours: HostNet): void {
  const tls = require('node:tls') as Exports & typeof machineTls;
  tls.connect = ((...args: unknown[]) => connectSecure(ours, args)) as typeof tls.connect;
  // tls was loaded before, so that TLS sockets are made of Node's own; its servers are to be ours.
  askUnder();
  Object.setPrototypeOf(machineTls.Server, ours.Server);
  Object.setPrototypeOf(machineTls.Server.prototype, ours.Server.prototype);
}

/** tls.connect: (options, callback), (port, host, options, callback), (path, options, callback). */
function connectSecure(ours: HostNet, args: unknown[]): TLSSocket {
  const list = args.filter((arg) => arg !== undefined && arg !== null);
  const callback = typeof list.at(-1) === 'function' ? (list.pop() as () => void) : undefined;
  const last = list.at(-1);
  const more = typeof last === 'object' ? (list.pop() as ConnectionOptions) : {};
  const [first, second] = list;
  const named: ConnectionOptions =
    first === undefined
      ? {}
      : typeof first === 'string' && Number.isNaN(Number(first))
        ? { path: first }
        : { port: Number(first), ...(typeof second === 'string' ? { host: second } : {}) };
  const options: ConnectionOptions = { ...named, ...more };
  if (options.socket || options.path)
    return (machineTls.connect as (...all: unknown[]) => TLSSocket)(options, callback);
  const { port = 443, host = 'localhost', timeout } = options;
  const name = options.servername ?? (machineNet.isIP(host) === 0 ? host : '');
  // The options of TLS may be wrong: then nothing connects. A signal is for the TLS socket, which takes the other with it.
  const { signal, ...plainOptions } = options as ConnectionOptions & SocketOptions;
  const plain = new ours.Socket(plainOptions);
  const made = secure(plain, { ...options, ...(name === '' ? {} : { servername: name }) } as SecureOptions);
  if (signal?.aborted) plain.destroy();
  else plain.connect({ ...plainOptions, port, host });
  if (timeout) made.setTimeout(timeout);
  if (callback !== undefined) made.once('secureConnect', callback);
  return made;
}
