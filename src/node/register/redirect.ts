/**
 * Puts the net module of a host in the place of Node's own, for a whole program: what uses `node:net` (http, https, http2, tls, fetch, and packages) then
 * runs over the host. What is no TCP stays Node's: paths, pipes, stdio, child processes.
 */

import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { Host } from '../../host.ts';
import { machineNet, machineTls } from '../net/machine.ts';
import { createNet, type HostNet } from '../net/net.ts';
import { giveSockets } from './secure-sockets.ts';
import { findWrapClass } from './wrap.ts';
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
  '_normalizeArgs',
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
  // tls was loaded before, so that TLS sockets are made of Node's own; its servers are to be ours.
  const Wrap = findWrapClass();
  askUnder(Wrap);
  giveSockets(ours, Wrap);
  Object.setPrototypeOf(machineTls.Server, ours.Server);
  Object.setPrototypeOf(machineTls.Server.prototype, ours.Server.prototype);
}
