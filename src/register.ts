/**
 * `node --import tunstack/register app.js`: the program's TCP runs over a tunstack host, without a changed line. Which host, environment variables say
 * (docs/api.md): a TUN device, or else one in memory that owns 127.0.0.0/8 and ::1.
 *
 * Child processes (those of `cluster` too) and worker threads are left as they were.
 */
import { isMainThread } from 'node:worker_threads';
import { redirect } from './node/register/redirect.ts';
import { hostOf } from './node/register/settings.ts';

const { env } = process;
// Children inherit the variable.
const isChild = env['TUNSTACK_REGISTERED'] !== undefined && env['TUNSTACK_REGISTERED'] !== String(process.pid);

if (isMainThread && !isChild) {
  const host = hostOf(env);
  redirect(host);
  env['TUNSTACK_REGISTERED'] = String(process.pid);
  // What is open when the program ends is reset, as the peers of a process that is gone would find it.
  process.on('exit', () => void host.close({ timeout: 0 }));
}
