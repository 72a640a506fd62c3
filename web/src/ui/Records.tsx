// A list of records as a table: while it loads, when it is empty, when it fails, and page by page.
import { Table, VisuallyHidden } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import type { ApiError } from "../api/client";
import type { Meta } from "../api/contract";
import { lead } from "./lead";
import { Pager } from "./Pager";
import { Failure, Loading } from "./parts";

export interface Column<T> {
  title: string;
  cell: (record: T) => ReactNode;
  /** What people wrote: as long as they like, it wraps anywhere. All else stays on a line. */
  isLong?: boolean;
}

interface Props<T> {
  found: UseQueryResult<{ data: T[]; meta?: Meta }, ApiError>;
  columns: Array<Column<T>>;
  /** What to say when there is none. */
  empty: ReactNode;
  /** What can be done with a record, at the end of its row. */
  actions?: (record: T) => ReactNode;
  onPage?: (page: number) => void;
  minWidth?: number;
}

export function Records<T extends { id: number }>({ found, columns, empty, actions, onPage, minWidth = 560 }: Props<T>) {
  if (found.error) return <Failure error={found.error} again={() => void found.refetch()} />;
  if (!found.data) return <Loading />;
  const { data, meta } = found.data;
  if (!data.length) return empty;
  return (
    <>
      <Table.ScrollContainer minWidth={minWidth} className="card stacks records">
        <Table>
          <Table.Thead>
            <Table.Tr>
              {columns.map(({ title }) => (
                <Table.Th key={title} style={{ whiteSpace: "nowrap" }}>{title}</Table.Th>
              ))}
              {actions && <Table.Th><VisuallyHidden>Actions</VisuallyHidden></Table.Th>}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.map((record) => (
              <Table.Tr key={record.id} onClick={lead}>
                {columns.map(({ title, cell, isLong }) => (
                  <Table.Td key={title} data-title={title} data-long={isLong}>{cell(record)}</Table.Td>
                ))}
                {actions && <Table.Td ta="end">{actions(record)}</Table.Td>}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {meta && onPage && <Pager meta={meta} onPage={onPage} />}
    </>
  );
}
