// Errors in Durable Objects as log lines: which class, which operation, which object, what failed and where.
import { describeCause, stackFrames } from "./errors.ts";
import { type LogFields, log } from "./log.ts";
import { StoredDocumentError } from "./stored-document.ts";

export type ErrorReport = (operation: string, error: unknown, fields?: LogFields) => void;

/** Logs errors of one object, one line each, as for a failed request. The message stays out: it may carry values. */
export function errorReport(env: Env, object: string, id: DurableObjectId): ErrorReport {
  return (operation, error, fields = {}) =>
    log(
      env,
      "ERROR",
      "object failed",
      {
        object,
        operation,
        // The name is the id of a patient or a hospital.
        object_id: id.name ?? id.toString(),
        cause: describeCause(error),
        at: stackFrames(error),
        ...(error instanceof StoredDocumentError && { document: error.document, position: error.position }),
        ...fields,
      },
      1,
    );
}

/** Does the work, and reports what it throws before that goes on. */
export function reporting<T>(report: ErrorReport, operation: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    report(operation, error);
    throw error;
  }
}

/**
 * Makes every method of a class log what it throws before it throws it: over RPC the caller gets an error without the stack of
 * the object, and errors of alarms and sockets have no caller. Call it in a static block, which may read protected fields.
 */
export function logMethodErrors<T extends object>(
  object: string,
  prototype: T,
  contextOf: (instance: T) => { env: Env; id: DurableObjectId },
): void {
  for (const operation of Object.getOwnPropertyNames(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, operation);
    const method: unknown = descriptor?.value;
    if (operation === "constructor" || typeof method !== "function") continue;
    const logged = function (this: T, ...args: unknown[]): unknown {
      const { env, id } = contextOf(this);
      const report = errorReport(env, object, id);
      const result: unknown = reporting(report, operation, () => Reflect.apply(method, this, args));
      if (!(result instanceof Promise)) return result;
      return result.catch((error: unknown) => {
        report(operation, error);
        throw error;
      });
    };
    Object.defineProperty(prototype, operation, { ...descriptor, value: logged });
  }
}
