import { v7 } from 'uuid';

/** A new UUID version 7: ids sort by the time they were made. */
export const newId = (): string => v7();

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for the text form of any UUID. Asked before a value meets a uuid column, which would fail the statement. */
export const isUuid = (value: string): boolean => UUID.test(value);
