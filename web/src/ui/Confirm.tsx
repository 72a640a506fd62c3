// A question that says what will happen before it happens, alone or behind a button.
import { Button, type ButtonProps, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

interface Question {
  label: string;
  title: string;
  color?: ButtonProps["color"];
  children: ReactNode;
  onConfirm: () => void;
}

export function Confirm({ label, title, children, onConfirm, ...button }: Question & ButtonProps) {
  const [open, { open: show, close }] = useDisclosure();
  return (
    <>
      <Button {...button} onClick={show}>
        {label}
      </Button>
      <ConfirmDialog opened={open} onClose={close} label={label} title={title} color={button.color} onConfirm={onConfirm}>
        {children}
      </ConfirmDialog>
    </>
  );
}

interface DialogProps extends Question {
  opened: boolean;
  /** Then the question says why, and cannot be answered. */
  isImpossible?: boolean;
  onClose: () => void;
}

export function ConfirmDialog({ opened, isImpossible, onClose, label, title, color, children, onConfirm }: DialogProps) {
  const confirm = () => {
    onClose();
    onConfirm();
  };
  return (
    <Modal opened={opened} onClose={onClose} title={title} centered>
      <Stack>
        <Text size="sm" component="div">
          {children}
        </Text>
        <Group justify="end">
          <Button variant="default" onClick={onClose}>
            {isImpossible ? "Close" : "Cancel"}
          </Button>
          {!isImpossible && (
            <Button color={color} onClick={confirm} data-autofocus>
              {label}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
