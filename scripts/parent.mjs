import fs from 'node:fs';

/**
 * Sends this process SIGTERM once npm, which started it, is gone: npm killed with SIGKILL cannot pass anything on, and a lab
 * without its terminal would stay for ever. npm may run us under a shell, so the whole line up to npm is watched.
 */
export function endWithParent() {
  const line = ancestors();
  const timer = setInterval(() => {
    if (ancestors().join() === line.join()) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 1000);
  timer.unref();
}

/** The parent's pid and, where /proc shows it and it is a shell in between, the grandparent's. */
function ancestors() {
  const parent = process.ppid;
  const stat = procStat(parent);
  return stat !== undefined && /^(sh|dash|bash)$/.test(stat.name) ? [parent, stat.parent] : [parent];
}

function procStat(pid) {
  try {
    // proc(5): "pid (comm) state ppid ..."; comm may hold blanks and brackets, so the last ")" ends it.
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = text.lastIndexOf(')');
    return { name: text.slice(text.indexOf('(') + 1, end), parent: Number(text.slice(end + 2).split(' ')[1]) };
  } catch {
    return undefined;
  }
}
