// Error logging for Durable Objects: class, operation, object, error and position.
import { describeCause, stackFrames } from "./errors.ts";
import { type LogFields, log } from "./log.ts";
import { StoredDocumentError } from "./stored-document.ts";

export type ErrorReport = (operation: string, error: unknown, fields?: LogFields) => void;

/** Logs an error of an object in one line, as for a failed request. Omits the message, which may contain values. */
export function errorReport(env: Env, object: string, id: DurableObjectId): ErrorReport {
  return (operation, error, fields = {}) =>
    log(
      env,
      "ERROR",
      "object failed",
      {
        object,
        operation,
        // The object name is the id of a patient or a hospital.
        object_id: id.name ?? id.toString(),
        cause: describeCause(error),
        at: stackFrames(error),
        ...(error instanceof StoredDocumentError && { document: error.document, position: error.position }),
        ...fields,
      },
      1,
    );
}

/** Runs the work; logs what it throws, then rethrows. */
export function reporting<T>(report: ErrorReport, operation: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    report(operation, error);
    throw error;
  }
}

/**
 * Makes every method of a class log what it throws before rethrowing. An RPC caller gets an error without the object's stack,
 * and errors in alarms and sockets have no caller. Call it in a static block, which can read protected fields.
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
