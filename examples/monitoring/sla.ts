/** Availability of past months. The history is large, and only this module needs it. */

import { defineModule } from "brokkr";

export interface Report {
  readonly month: string;
  /** Percent. */
  readonly availability: number;
}

// Outside defineModule, so it is loaded by every process of the program; the cleanup gives it back in all but this module's.
const history = loadHistory();

export const sla = defineModule({
  name: "sla",
  commands: {
    get_module_info: () => ({ name: "sla", months: history.size }),
    get_report: (month: string): Report => {
      const availability = history.get(month);
      if (availability === undefined) throw new RangeError(`there is no report of ${month}`);
      return { month, availability };
    },
  },
  env: ["SLA_DB_PASSWORD"],
  afterForkCleanup() {
    history.clear();
  },
});

/** How many months of the history this process holds: for the example, to see the cleanup's work from outside. */
export function monthsInThisProcess(): number {
  return history.size;
}

function loadHistory(): Map<string, number> {
  const months = new Map<string, number>();
  for (let year = 2012; year <= 2021; year++) {
    for (let month = 1; month <= 12; month++) {
      months.set(`${year}-${String(month).padStart(2, "0")}`, 99 + ((year * 12 + month) % 97) / 100);
    }
  }
  return months;
}
