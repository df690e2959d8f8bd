/** The machine that a run is on, and what others do on it meanwhile. */
import fs from 'node:fs';
import os from 'node:os';

/** Clock ticks a second in /proc: 100 on every Linux that Node.js runs on. */
const TICKS = 100;

export function machineLine(): string {
  const cpus = os.cpus();
  const model = cpus[0]?.model.trim() || 'unknown processor';
  return `${model}, ${cpus.length} CPUs, ${os.type()} ${os.release()}, Node.js ${process.version}`;
}

/** CPU time that the whole machine and some processes have used so far, s. */
export interface CpuTimes {
  readonly at: number;
  readonly machine: number;
  readonly ours: ReadonlyMap<number, number>;
}

/** The kernel's own threads that work for network traffic: their time is no disturbance. */
const kernelThreads = findKernelThreads();

export function cpuTimes(processes: readonly number[]): CpuTimes {
  const pids = [...processes, process.pid, ...kernelThreads];
  return { at: performance.now() / 1000, machine: machineTime(), ours: new Map(pids.map((pid) => [pid, timeOf(pid)])) };
}

/** CPUs in use between two readings: each process's, and all that was none of ours. */
export function cpuUse(before: CpuTimes, after: CpuTimes): { of: (pid: number) => number; others: number } {
  const elapsed = after.at - before.at;
  const of = (pid: number) => ((after.ours.get(pid) ?? 0) - (before.ours.get(pid) ?? 0)) / elapsed;
  let others = (after.machine - before.machine) / elapsed;
  for (const pid of after.ours.keys()) others -= of(pid);
  return { of, others: Math.max(others, 0) };
}

/** User, nice and system time; interrupts belong to nobody. 0 where there is no /proc. */
function machineTime(): number {
  const [, user = 0, nice = 0, system = 0] = read('/proc/stat').split('\n', 1)[0]?.split(/ +/).map(Number) ?? [];
  return (user + nice + system) / TICKS;
}

function timeOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  // The name, in brackets, may hold spaces; utime and stime are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS || 0;
}

function findKernelThreads(): number[] {
  if (process.platform !== 'linux') return [];
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => read(`/proc/${pid}/comm`).startsWith('ksoftirqd/')).map(Number);
}

function read(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
