// A button that says what will happen before it happens.
import { Button, type ButtonProps, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

interface Props extends ButtonProps {
  label: string;
  title: string;
  children: ReactNode;
  onConfirm: () => void;
}

export function Confirm({ label, title, children, onConfirm, ...button }: Props) {
  const [open, { open: show, close }] = useDisclosure();
  const confirm = () => {
    close();
    onConfirm();
  };
  return (
    <>
      <Button {...button} onClick={show}>
        {label}
      </Button>
      <Modal opened={open} onClose={close} title={title} centered>
        <Stack>
          <Text size="sm" component="div">
            {children}
          </Text>
          <Group justify="end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button color={button.color} onClick={confirm} data-autofocus>
              {label}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
