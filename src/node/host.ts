/** createHost for Node.js: with what the core does not bring along. */
import { createHost as createCoreHost, type Host } from '../host.ts';
import type { HostOptions } from '../net/host-options.ts';
import { nodeDnsCodec } from './dns-codec.ts';
import { nodeHasher } from './segment-hasher.ts';
import { nodeSystemFiles } from './system-files.ts';

/**
 * `createHost` of `tunstack`, with the hashes of `node:crypto` (sockets have TCP_MD5SIG and TCP_AO_ADD_KEY), a codec for DNS messages, and the
 * machine's files (service names are those of /etc/services too).
 * @throws as `createHost` of `tunstack`
 */
export function createHost(options: HostOptions = {}): Host {
  return createCoreHost({ hasher: nodeHasher, dnsCodec: nodeDnsCodec, systemFiles: nodeSystemFiles, ...options });
}
