using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using YamlDotNet.RepresentationModel;

namespace InstructTune.Cli.Specs;

/// <summary>
/// Reads any message of the API from YAML (or JSON), with the field names of the protos. Unknown and repeated keys are refused,
/// by name and line: a misspelt hyper-parameter that is silently ignored costs a training.
/// </summary>
internal static class YamlMessage
{
    public static T Read<T>(TextReader text, string fileName)
        where T : IMessage, new()
    {
        var source = new YamlSource(fileName);
        var message = new T();
        Fill(message, source.Parse(text), source, "");
        return message;
    }

    private static void Fill(IMessage message, YamlNode node, YamlSource source, string path)
    {
        if (node is not YamlMappingNode mapping)
        {
            throw source.Error(node, $"{Show(path)} must be a mapping of {message.Descriptor.Name} fields");
        }

        foreach (var (keyNode, value) in mapping.Children)
        {
            var key = (keyNode as YamlScalarNode)?.Value ?? "";
            var field = message.Descriptor.FindFieldByName(key)
                ?? throw source.Error(keyNode, Unknown(key, message.Descriptor, path));
            RefuseSecondChoice(message, field, keyNode, source);
            SetField(message, field, value, source, path.Length == 0 ? key : $"{path}.{key}");
        }
    }

    private static void SetField(IMessage message, FieldDescriptor field, YamlNode value, YamlSource source, string path)
    {
        if (field.IsMap)
        {
            var map = (IDictionary)field.Accessor.GetValue(message);
            var fields = field.MessageType.Fields;
            foreach (var (key, item) in As<YamlMappingNode>(value, source, path, "a mapping").Children)
            {
                map.Add(YamlScalar.Read(fields[1], key, source, path), ReadSingle(fields[2], item, source, $"{path}.{key}"));
            }
        }
        else if (field.IsRepeated)
        {
            var list = (IList)field.Accessor.GetValue(message);
            foreach (var item in As<YamlSequenceNode>(value, source, path, "a list").Children)
            {
                list.Add(ReadSingle(field, item, source, $"{path}[{list.Count}]"));
            }
        }
        else
        {
            field.Accessor.SetValue(message, ReadSingle(field, value, source, path));
        }
    }

    private static object ReadSingle(FieldDescriptor field, YamlNode value, YamlSource source, string path)
    {
        if (field.FieldType != FieldType.Message)
        {
            return YamlScalar.Read(field, value, source, path);
        }

        var child = field.MessageType.Parser.ParseFrom(ByteString.Empty);
        // `lora:` with nothing after it means: with its defaults.
        if (value is not YamlScalarNode { Value: null or "" or "~" or "null" })
        {
            Fill(child, value, source, path);
        }

        return child;
    }

    private static void RefuseSecondChoice(IMessage message, FieldDescriptor field, YamlNode at, YamlSource source)
    {
        if (field.ContainingOneof is { IsSynthetic: false } choice
            && choice.Accessor.GetCaseFieldDescriptor(message) is { } first
            && first != field)
        {
            throw source.Error(at, $"'{field.Name}' and '{first.Name}' exclude each other");
        }
    }

    private static T As<T>(YamlNode node, YamlSource source, string path, string what)
        where T : YamlNode =>
        node as T ?? throw source.Error(node, $"'{path}' must be {what}");

    private static string Unknown(string key, MessageDescriptor type, string path)
    {
        var names = type.Fields.InFieldNumberOrder().Select(field => field.Name).ToList();
        var near = Spelling.Nearest(key, names);
        var hint = near is null ? $"known are {string.Join(", ", names)}" : $"did you mean '{near}'?";
        return $"unknown key '{key}' in {Show(path)}; {hint}";
    }

    private static string Show(string path) => path.Length == 0 ? "the file" : $"'{path}'";
}
