/** The program that is to run over a host of ours. */
import { isMainThread } from 'node:worker_threads';
import type { Host } from '../../host.ts';
import { TunError } from '../../link/tun-error.ts';
import { beforeSignal } from './last-signal.ts';
import { redirect } from './redirect.ts';
import { hostOf } from './settings.ts';
import { type Environment, SettingError } from './variables.ts';

/** By this child processes (those of `cluster` too) know that they are not the program that was meant: they inherit it. */
const MARK = 'TUNSTACK_REGISTERED';

/** Does nothing in child processes and worker threads: they stay as they were. Ends the process with status 1 for settings that are wrong. */
export function registerProgram(): void {
  const { env, pid } = process;
  if (!isMainThread || (env[MARK] !== undefined && env[MARK] !== String(pid))) return;
  const host = hostOrEnd(env);
  redirect(host);
  env[MARK] = String(pid);
  // Peers get what was written, and the end, as of any process that is gone; nobody would send it again.
  // A close() of the user's own may throw: it has not been called by anybody else.
  // It comes first: the link closes at the exit as well.
  const leave = () => void host.close({ timeout: 0, orderly: true }).catch(() => {});
  process.prependListener('exit', leave);
  beforeSignal(process, leave);
}

/** Whoever set a variable wrong needs one line, and no place in our code. */
function hostOrEnd(environment: Environment): Host {
  try {
    return hostOf(environment);
  } catch (error) {
    if (!(error instanceof SettingError || error instanceof TunError)) throw error;
    process.stderr.write(`tunstack/register: ${error.message}\n`);
    process.exit(1);
  }
}
