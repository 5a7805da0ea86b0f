namespace InstructTune.Inference.Engine;

/// <summary>A reader has left more unread than is kept for it.</summary>
internal sealed class MailboxFullException() : Exception($"More than {Mailbox.MaxBytes} bytes were made and not taken.");
