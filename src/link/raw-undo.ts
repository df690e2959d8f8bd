/** What has to be undone when the process ends, and what tells whether the process that did it is still there. */
import { readFileSync, readlinkSync } from 'node:fs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const pending = new Set<() => void>();

/**
 * Calls `undo` at the end of the process, and before SIGINT, SIGTERM and SIGHUP end it where nobody else listens to these. SIGKILL leaves it undone.
 * @returns does it now, and once
 */
export function undoAtEnd(undo: () => void): () => void {
  if (pending.size === 0) watchEnd();
  pending.add(undo);
  return () => {
    if (!pending.delete(undo)) return;
    if (pending.size === 0) unwatchEnd();
    undo();
  };
}

function watchEnd(): void {
  process.on('exit', undoAll);
  for (const signal of SIGNALS) process.on(signal, ended);
}

function unwatchEnd(): void {
  process.off('exit', undoAll);
  for (const signal of SIGNALS) process.off(signal, ended);
}

function undoAll(): void {
  for (const undo of pending) undo();
  pending.clear();
}

function ended(signal: NodeJS.Signals): void {
  // Somebody else's listener decides what becomes of the process; its exit is heard.
  if (process.listenerCount(signal) > 1) return;
  undoAll();
  unwatchEnd();
  process.kill(process.pid, signal);
}

/** `4026531836:1234:567890`: the namespace of process numbers, the process, and when it started, since numbers are used again. */
export function processMark(): string {
  return `${numberSpace()}:${process.pid}:${startOf(process.pid)}`;
}

/** Whether the process of a mark is gone; one of another container's is not known to be. */
export function isGone(mark: string): boolean {
  const [space, pid, start] = mark.split(':');
  return space === numberSpace() && startOf(Number(pid)) !== start;
}

function numberSpace(): string {
  return readlinkSync('/proc/self/ns/pid').replaceAll(/[^0-9]/g, '');
}

/** The 22nd field of /proc/PID/stat, behind a name in parentheses that may have spaces; undefined: there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
