using InstructTune.Dataset.Examples;
using InstructTune.V1;
using Example = InstructTune.Dataset.Examples.Example;

namespace InstructTune.Dataset.Api;

/// <summary>Stored examples as messages.</summary>
internal static class ExampleMapping
{
    public static V1.Example ToProto(Example example)
    {
        var proto = new V1.Example { Output = example.Output, Task = example.Task };
        proto.References.AddRange(example.References);
        proto.Choices.AddRange(example.Choices);
        proto.Labels.Add(example.Labels.ToDictionary());
        switch (example.Prompt)
        {
            case InstructionPrompt prompt:
                proto.Instruction = new Instruction { Instruction_ = prompt.Instruction, Input = prompt.Input };
                break;
            case ConversationPrompt prompt:
                proto.Conversation = new Conversation();
                proto.Conversation.Turns.AddRange(prompt.Turns.Select(ToProto));
                break;
            case RawPrompt prompt:
                proto.RawPrompt = prompt.Text;
                break;
            case TextPrompt prompt:
                proto.Text = prompt.Text;
                break;
            default:
                throw new ArgumentException($"unknown kind of prompt: {example.Prompt.GetType().Name}", nameof(example));
        }

        return proto;
    }

    private static Conversation.Types.Turn ToProto(Turn turn)
    {
        var proto = new Conversation.Types.Turn { Role = turn.Role, Text = turn.Text };
        if (turn.Trained is { } trained)
        {
            proto.Trained = trained;
        }

        return proto;
    }
}
